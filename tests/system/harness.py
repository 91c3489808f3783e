"""What the system tests share: an installation of Ascolto in a folder of its own, and the world around it.

A test is a program: `system_test(main)` at its end runs main(t), prints "passed" or what was wrong, and ends every process
it started, however it ends (also when the test itself is killed). Options, given by ctest:

    --bin FOLDER      the programs                 --models FOLDER   intent's models
    --work FOLDER     where installations live     --slow N          all waiting times N times as long (sanitizers)
    --sanitized       limits on memory and speed mean nothing in this build
    --keep            keep the folders of a test that passed (those of one that failed are always kept)
    --seed N          the random numbers of another run; every run prints its own

Only Python's standard library is needed; Debian's python3-aiosmtpd (mails) and webhook are used when they are there.
"""
import argparse
import atexit
import ctypes
import hashlib
import hmac
import http.client
import http.server
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
STORM = HERE / "storm"
ROOT = HERE.parent.parent
PLAYBOOK = ROOT / "deploy" / "playbooks" / "brezza.yaml"
SERVICES = ["ingest", "enrichment", "intent", "escalation", "notification", "console"]
SECRET = "a-secret-only-tests-know"
READY_LIMIT_S = 2.0      # design §11: kill -9 to working again
STOP_LIMIT_S = 2.0
MEMORY_LIMIT = 150 << 20


class Failed(Exception):
    """A sentence for people: what should hold and does not."""


def check(condition, sentence):
    if not condition:
        raise Failed(sentence)


def lines_of(path):
    """The posts of a JSON lines file."""
    return [json.loads(line) for line in open(path, encoding="utf-8")]


def gold(file):
    """native_id -> group, for one file of storm/."""
    rows = (line.rstrip("\n").split("\t") for line in open(STORM / "gold.tsv", encoding="utf-8"))
    return {native_id: group for name, native_id, group in rows if name == file}


# ---------------------------------------------------------------------------------------------------- ports and processes

class Ports:
    """Forty neighbouring ports below 32768 that nobody uses. The first is kept bound, so that tests which run at the same
    time never choose the same ones."""

    SIZE = 40

    def __init__(self):
        while True:
            self.first = random.SystemRandom().randrange(10000, 32000, self.SIZE)
            if self.first + self.SIZE < 32768 and self._take():
                return

    def _take(self):
        self.guard = socket.socket()
        try:
            self.guard.bind(("127.0.0.1", self.first))
            self.guard.listen(1)
            for port in range(self.first + 1, self.first + self.SIZE):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
        except OSError:
            self.guard.close()
            return False
        self.given = self.first
        return True

    def one(self):
        self.given += 1
        check(self.given < self.first + self.SIZE, "the test wants more ports than a block has")
        return self.given

    def close(self):
        self.guard.close()


def _die_with_parent():
    """In the child: ends when the test ends, even by kill -9."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    os.setpgrp()


def spawn(argv, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen([str(a) for a in argv], preexec_fn=_die_with_parent, **options)


def children_of(pid):
    """pid -> name, of the processes whose parent it is."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:
            continue
        name, rest = stat[stat.index("(") + 1:stat.rindex(")")], stat[stat.rindex(")") + 2:].split()
        if int(rest[1]) == pid and rest[0] != "Z":
            found[int(entry.name)] = name
    return found


def memory_of(pid):
    """(own, resident): bytes the process itself allocated, and those with the mapped store."""
    values = {}
    for line in open(f"/proc/{pid}/status", encoding="ascii"):
        key, _, rest = line.partition(":")
        if key in ("RssAnon", "VmRSS"):
            values[key] = int(rest.split()[0]) * 1024
    return values["RssAnon"], values["VmRSS"]


# ---------------------------------------------------------------------------------------------------- HTTP

class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def error(self):
        """The sentence of {"error": ...}; the text itself when it is not JSON."""
        try:
            return self.json().get("error", "")
        except ValueError:
            return self.body.decode("utf-8", "replace")


def http_call(address, path, method="GET", body=None, headers=None, timeout=10):
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        return Answer(response.status, dict((k.lower(), v) for k, v in response.getheaders()), response.read())
    finally:
        connection.close()


def sign(body, secret=SECRET, at=None):
    """The value of X-Ascolto-Signature."""
    at = int(time.time() if at is None else at)
    mac = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"


# ---------------------------------------------------------------------------------------------------- the world around

class Hooks:
    """Receives webhooks of notification. A delivery is kept when both signatures are right and its time is near; what is
    not is counted in `refused` and answered 401."""

    def __init__(self, port, secret=SECRET):
        self.secret, self.got, self.refused = secret, [], []
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{port}"
        world = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                status = world.take(self.path, self.headers, body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path, headers, body):
        why = self.fault(headers, body)
        with self.lock:
            if why:
                self.refused.append(why)
                return 401
            order = json.loads(body)
            self.got.append({"path": path, "delivery": headers["X-Ascolto-Delivery"], "order": order, "at": time.time(),
                             "headers": dict(headers), "body": body})
            return 204

    def fault(self, headers, body):
        given = dict(part.split("=", 1) for part in headers.get("X-Ascolto-Signature", "t=0,v1=").split(","))
        right = hmac.new(self.secret.encode(), given["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
        whole = "sha256=" + hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right, given["v1"]):
            return "the signature is wrong"
        if not hmac.compare_digest(whole, headers.get("X-Ascolto-Signature-256", "")):
            return "the signature over the body alone is wrong"
        if abs(time.time() - int(given["t"])) > 300:
            return "the signature is old"
        return None

    def list(self, **want):
        """Deliveries whose order has these values, for example code="red"."""
        with self.lock:
            return [d for d in self.got if all(d["order"].get(k) == v for k, v in want.items())]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Mails:
    """A mailbox of Debian's python3-aiosmtpd in a process of its own (mailbox.py)."""

    def __init__(self, port, folder):
        folder.mkdir()
        self.index = folder / "index"
        self.index.touch()
        self.url = f"smtp://127.0.0.1:{port}"
        self.process = spawn(["/usr/bin/python3", HERE / "mailbox.py", port, folder], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
        check(self.process.stdout.readline() == b"ready\n", "the mailbox does not start")

    @staticmethod
    def available():
        return subprocess.run(["/usr/bin/python3", "-c", "import aiosmtpd"], stderr=subprocess.DEVNULL).returncode == 0

    def list(self):
        return [json.loads(line) for line in self.index.read_text(encoding="utf-8").splitlines()]

    def close(self):
        self.process.kill()
        self.process.wait()


class DebianWebhook:
    """Debian's `webhook`, which knows nothing of us, checks the signature and keeps the delivery's id in a file."""

    def __init__(self, port, folder, secret=SECRET):
        folder.mkdir()
        self.file = folder / "got"
        script = folder / "keep"
        script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >> {self.file}\n')
        script.chmod(0o700)
        rule = {"match": {"type": "payload-hmac-sha256", "secret": secret,
                          "parameter": {"source": "header", "name": "X-Ascolto-Signature-256"}}}
        hooks = folder / "hooks.json"
        hooks.write_text(json.dumps([{
            "id": "crisis", "execute-command": str(script), "http-methods": ["POST"], "trigger-rule": rule,
            "pass-arguments-to-command": [{"source": "header", "name": "X-Ascolto-Delivery"}],
            "trigger-rule-mismatch-http-response-code": 401}]))
        self.url = f"http://127.0.0.1:{port}/hooks/crisis"
        self.process = spawn(["/usr/bin/webhook", "-hooks", hooks, "-ip", "127.0.0.1", "-port", port],
                             stdout=open(folder / "log", "wb"), stderr=subprocess.STDOUT)

    @staticmethod
    def available():
        return pathlib.Path("/usr/bin/webhook").exists()

    def list(self):
        return self.file.read_text().split() if self.file.exists() else []

    def close(self):
        self.process.kill()
        self.process.wait()


# ---------------------------------------------------------------------------------------------------- an installation

class Installation:
    """Six services with their configuration in one folder. `channels` and `brands` are dictionaries as the configuration
    has them; every destination the playbook names is a webhook of `hooks`, or a mailbox where its name says mail."""

    def __init__(self, test, name, channels, brands=None, playbook=None, destinations=None):
        self.test, self.name = test, name
        self.folder = test.folder / name
        self.folder.mkdir()
        self.logs = self.folder / "logs"
        self.logs.mkdir()
        self.ports = Ports()
        self.process, self.world = {}, []
        self.secret_file("hook")
        self.links = {s: f"tcp://127.0.0.1:{self.ports.one()}" for s in SERVICES}
        self.http = {s: f"127.0.0.1:{self.ports.one()}" for s in SERVICES}
        self.listen = {s: f"127.0.0.1:{self.ports.one()}" for s in ("ingest", "console")}
        self.playbook = playbook or PLAYBOOK
        self.brands = brands or [{"name": "brezza", "title": "Brezza", "language": "it", "vips": ["vip_cavalli"]}]
        self.channels = channels
        self.open_world()
        self.destinations = destinations or self.usual_destinations()
        self.config = self.folder / "ascolto.yaml"
        self.write_config()
        test.installations.append(self)

    # ---- files

    def secret_file(self, name, secret=SECRET):
        path = self.folder / f"secret-{name}"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as f:
            f.write(secret + "\n")
        return path

    def open_world(self):
        self.hooks = Hooks(self.ports.one())
        self.world.append(self.hooks)
        self.mails = None
        if Mails.available():
            self.mails = Mails(self.ports.one(), self.folder / "mails")
            self.world.append(self.mails)
        else:
            self.test.say("mails are not checked: python3-aiosmtpd is not installed; they are sent as webhooks instead")

    def usual_destinations(self):
        secret, all_of_them = str(self.folder / "secret-hook"), []
        for brand in self.brands:
            for name in ("desk-mail", "crisis-mail", "crisis-hook"):
                d = {"name": name, "brand": brand["name"]}
                if name.endswith("mail") and self.mails:
                    d |= {"kind": "mail", "url": self.mails.url, "from": "ascolto@brezza.example",
                          "to": [f"{name}@brezza.example"]}
                else:
                    d |= {"kind": "webhook", "url": f"{self.hooks.url}/{name}", "secret_file": secret}
                if name not in [other["name"] for other in all_of_them]:
                    all_of_them.append(d)
        return all_of_them

    def write_config(self):
        services = {s: {"link": self.links[s], "http": self.http[s]} for s in SERVICES}
        for s, address in self.listen.items():
            services[s]["listen"] = address
        for brand in self.brands:
            brand.setdefault("playbook", str(self.playbook))
        conf = {"data": "state", "programs": str(self.test.options.bin), "models": str(self.test.options.models),
                "fetch_allow": ["127.0.0.0/8"], "services": services, "brands": self.brands,
                "channels": self.channels, "destinations": self.destinations}
        # JSON is YAML; ensure_ascii keeps it so whatever a name holds.
        self.config.write_text(json.dumps(conf, indent=1), encoding="ascii")

    def log_of(self, service):
        return (self.logs / service).read_text(encoding="utf-8", errors="replace")

    # ---- processes

    def start(self, *services):
        for s in services or SERVICES:
            check(s not in self.process or self.process[s].poll() is not None, f"{s} runs already")
            with open(self.logs / s, "ab") as log:
                self.process[s] = spawn([self.test.options.bin / f"ascolto-{s}", "-c", self.config], stdout=log,
                                        stderr=log, cwd=self.folder)
            self.process[s].started = time.monotonic()

    def start_ready(self, *services):
        self.start(*services)
        for s in services or SERVICES:
            self.wait_ready(s)

    def is_ready(self, service):
        try:
            return http_call(self.http[service], "/readyz", timeout=2).status == 200
        except OSError:
            return False

    def wait_ready(self, service, limit_s=10):
        """Seconds from its start until it was ready."""
        process = self.process[service]
        end = process.started + limit_s * self.test.options.slow
        while not self.is_ready(service):
            check(process.poll() is None, f"{service} ended with {process.returncode} instead of becoming ready; its log:\n"
                  + self.log_of(service)[-2000:])
            check(time.monotonic() < end, f"{service} is not ready after {limit_s} s; its log:\n"
                  + self.log_of(service)[-2000:])
            time.sleep(0.005)
        return time.monotonic() - process.started

    def kill9(self, service):
        self.process[service].kill()
        self.process[service].wait()

    def stop(self, service, limit_s=STOP_LIMIT_S):
        """SIGTERM; gives (exit status, seconds)."""
        process, began = self.process[service], time.monotonic()
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(timeout=10 * self.test.options.slow)
        except subprocess.TimeoutExpired:
            raise Failed(f"{service} does not end within 10 s of SIGTERM") from None
        took = time.monotonic() - began
        check(took <= limit_s * self.test.options.slow, f"{service} took {took:.1f} s to end after SIGTERM; the limit is "
              f"{limit_s:g} s")
        return status, took

    def close(self):
        for process in self.process.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()
        for part in self.world:
            part.close()
        self.ports.close()

    # ---- asking

    def command(self, *words, expect=0):
        """Runs `ascolto`; expect=None takes any exit status."""
        done = subprocess.run([str(self.test.options.bin / "ascolto"), "-c", str(self.config), *map(str, words)],
                              capture_output=True, text=True, errors="replace", timeout=120)
        check(expect is None or done.returncode == expect,
              f"ascolto {' '.join(map(str, words))} ended with {done.returncode}, not {expect}: {done.stderr}{done.stdout}")
        return done

    def command_json(self, *words, expect=0):
        done = self.command("-o", "json", *words, expect=expect)
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise Failed(f"ascolto -o json {' '.join(map(str, words))} did not print JSON: {done.stdout[:500]}"
                         f"{done.stderr}") from None

    def deliveries(self):
        """What notification was ordered lately, and what became of it."""
        return [i["delivery"] for i in http_call(self.http["notification"], "/-/deliveries?limit=500").json()["items"]]

    def status(self):
        return self.command_json("status", expect=None)

    def service_status(self, service):
        return http_call(self.http[service], "/-/status").json()

    def counter(self, service, name):
        return self.service_status(service)["counters"][name]

    def console(self, path, expect=200):
        answer = http_call(self.listen["console"], "/api/v1/" + path)
        check(answer.status == expect, f"the console answers /api/v1/{path} with {answer.status}: {answer.error()}")
        return answer.json()

    def console_post(self, path, **body):
        return http_call(self.listen["console"], "/api/v1/" + path, "POST", json.dumps(body).encode(),
                         {"Content-Type": "application/json"})

    def messages(self, brand=None):
        """The rows of all messages the console shows."""
        rows, before, brand = [], "", f"&brand={brand}" if brand else ""
        while True:
            page = self.console(f"messages?limit=200{before}{brand}")
            rows += page["messages"]
            if "next" not in page:
                return rows
            before = f"&before={page['next']}"

    def incidents(self, brand=None):
        return self.console("incidents?limit=200" + (f"&brand={brand}" if brand else ""))["incidents"]

    def case_ids(self):
        """Of all cases the console knows, through its messages: lists of cases have no pages."""
        return {row["case_id"] for row in self.messages() if "case_id" in row}

    # ---- waiting

    def settled(self):
        """True when nothing is on its way: all is acknowledged, handled and sent."""
        status = self.status()
        if not all(s["up"] for s in status["services"]):
            return False
        busy = any(s["queue"]["messages"] or any(link["unacknowledged"] for link in s["links"]) for s in status["services"])
        return not busy and status["balance"]["on_their_way"] == 0

    def wait_accepted(self, n, limit_s):
        self.test.wait(lambda: self.counter("ingest", "accepted") >= n, limit_s,
                       lambda: f"{n} messages should be accepted; {self.counter('ingest', 'accepted')} are")

    def wait_settled(self, limit_s):
        self.test.wait(self.settled, limit_s, lambda: f"messages are still on their way: {self.status()['balance']}; "
                       f"{self.status()['wrong']}")
        self.test.wait(self.delivered, limit_s, lambda: "alerts are still on their way: "
                       f"{self.status()['wrong']}")

    def delivered(self):
        counters = self.service_status("notification")["counters"]
        return counters["orders"] == counters["sent"] + counters["rejected"] + counters["expired"] and self.settled()

    # ---- what must hold after every storm

    def check_balance(self, n):
        """accepted == ARM records == shown == n, nothing in quarantine, every service well."""
        status = self.status()
        balance = status["balance"]
        shown = self.counter("console", "messages_shown")
        check(balance["accepted"] == balance["arm_records"] == n == shown,
              f"{n} messages were given: {balance['accepted']} accepted, {balance['arm_records']} ARM records, "
              f"{shown} shown in the console")
        kept = {s["service"]: s["quarantine"] for s in status["services"] if s["quarantine"]}
        check(not kept, f"messages are in quarantine: {kept}: " + self.command("quarantine", "list").stdout)
        check(status["ok"], f"ascolto status says: {status['wrong']}")
        rows = self.messages()
        ids = {row["id"] for row in rows}
        check(len(rows) == len(ids) == n, f"the console lists {len(rows)} messages with {len(ids)} ids; there are {n}")

    def check_cases(self):
        """No case is doubled, and no customer has two open ones. Gives the number of cases."""
        opened, shown = self.counter("escalation", "cases_opened"), self.console("counts")
        ids, customers = self.case_ids(), {}
        check(opened == shown["cases"] == len(ids),
              f"escalation opened {opened} cases, the console counts {shown['cases']}, its messages name {len(ids)}")
        for case_id in ids:
            case = self.console(f"cases/{case_id}")["case"]
            if case["state"] != "closed":
                customers.setdefault(case["customer_id"], []).append(case_id)
        doubled = {c: ids for c, ids in customers.items() if len(ids) > 1}
        check(not doubled, f"customers with more than one open case: {doubled}")
        return opened

    def check_one_red(self):
        red = [i for i in self.incidents() if i["code"] == "red"]
        check(len(red) == 1 == self.counter("escalation", "incidents_red"),
              f"there should be exactly one red incident: {[(i['code'], i['title'], i['because']) for i in self.incidents()]}")
        return red[0]

    def check_alerts(self, elsewhere=0):
        """Every order was given once and arrived: no two with the same meaning. A delivery that was cut off by kill -9 may
        come a second time under the same id (a receiver drops it by that); notification counts each such case. `elsewhere`: webhooks
        that came to another receiver than ours."""
        counters = self.service_status("notification")["counters"]
        orders = self.counter("escalation", "orders")
        hooks = [d["delivery"] for d in self.hooks.got]
        mails = [m["message_id"] for m in self.mails.list()] if self.mails else []
        repeats = len(hooks) - len(set(hooks)) + len(mails) - len(set(mails))
        check(counters["orders"] == orders, f"escalation gave {orders} orders, notification took {counters['orders']}")
        check(len(set(hooks)) + len(set(mails)) + elsewhere == orders == counters["sent"],
              f"{orders} orders, {counters['sent']} sent; {len(set(hooks))} webhooks and {len(set(mails))} mails came")
        check(repeats <= counters["unknown"],
              f"{repeats} alerts came a second time, and only {counters['unknown']} calls were cut off")
        check(not self.hooks.refused, f"webhooks were refused: {self.hooks.refused}")
        meanings = [(o.get("incident_id", o.get("case_id")), o["template"], o["code"], o["destination"])
                    for o in {d["delivery"]: d["order"] for d in self.hooks.got}.values()]
        doubled = {m for m in meanings if meanings.count(m) > 1 and m[1].startswith("incident")}
        check(not doubled, f"the same alert was ordered twice: {doubled}")
        return {"orders": orders, "webhooks": len(hooks), "mails": len(mails), "repeats": repeats}


# ---------------------------------------------------------------------------------------------------- running a test

class Test:
    def __init__(self, options):
        self.options = options
        self.installations = []
        self.random = random.Random(options.seed)
        options.work.mkdir(parents=True, exist_ok=True)
        self.folder = options.work / f"{options.name}.{os.getpid()}"
        self.folder.mkdir()
        self.check_disk()

    def check_disk(self):
        kind = subprocess.run(["stat", "-f", "-c", "%T", str(self.folder)], capture_output=True, text=True).stdout.strip()
        check(kind not in ("tmpfs", "ramfs"), f"{self.folder} is in memory ({kind}); give a folder on a disk with --work")

    def say(self, sentence):
        print(f"{time.monotonic() - self.began:6.1f} s  {sentence}", flush=True)

    def wait(self, condition, limit_s, otherwise, pause_s=0.05):
        """Until condition() is true; otherwise() says what is missing."""
        end = time.monotonic() + limit_s * self.options.slow
        while True:
            try:
                if condition():
                    return
            except OSError:
                pass  # a service that is just being restarted
            check(time.monotonic() < end, f"after {limit_s} s: {otherwise() if callable(otherwise) else otherwise}")
            time.sleep(pause_s)

    def close(self):
        for installation in self.installations:
            installation.close()

    def install(self, name, channels, **options):
        return Installation(self, name, channels, **options)


def read_options():
    p = argparse.ArgumentParser()
    p.add_argument("--bin", type=lambda s: pathlib.Path(s).resolve(), default=ROOT / "build" / "dev" / "bin")
    p.add_argument("--models", type=lambda s: pathlib.Path(s).resolve())
    p.add_argument("--work", type=lambda s: pathlib.Path(s).resolve(), default=pathlib.Path("/var/tmp/ascolto-system"))
    p.add_argument("--slow", type=float, default=1)
    p.add_argument("--sanitized", action="store_true")
    p.add_argument("--keep", action="store_true")
    p.add_argument("--seed", type=int, default=int(time.time() * 1000) % 1000000)
    options = p.parse_args()
    options.models = options.models or options.bin.parent / "models"
    options.name = pathlib.Path(sys.argv[0]).stem.removeprefix("test_")
    return options


def tell_logs(test):
    """The end of what the services said, for whoever reads the failure."""
    for installation in test.installations:
        for log in sorted(installation.logs.iterdir()):
            text = log.read_text(encoding="utf-8", errors="replace").splitlines()
            print(f"--- {installation.name}/{log.name}: {len(text)} lines, the last:\n" + "\n".join(text[-8:]))


def system_test(main):
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    test = Test(options)
    test.began = time.monotonic()
    atexit.register(test.close)
    status = 1
    try:
        main(test)
        test.say("passed")
        status = 0
    except Failed as e:
        print(f"\nfailed (seed {options.seed}): {e}\n")
    except Exception:  # noqa: BLE001 - a test's own mistake is a failure too, and needs its trace
        print(f"\nfailed (seed {options.seed}):\n{traceback.format_exc()}")
    if status:
        tell_logs(test)
        print(f"kept for a look: {test.folder}")
    test.close()
    atexit.unregister(test.close)
    if not status and not options.keep:
        shutil.rmtree(test.folder, ignore_errors=True)
    sys.stdout.flush()
    os._exit(status)  # threads of servers are daemons; nothing is waited for
