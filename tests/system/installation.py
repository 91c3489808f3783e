"""An installation: six services with their configuration in a folder of their own, and what must hold of it."""
import json
import os
import pathlib
import signal
import subprocess
import time

from tools import PLAYBOOK, SECRET, SERVICES, STOP_LIMIT_S, Failed, Ports, check, http_call, spawn
from world import Hooks, Mails


class Installation:
    """Six services with their configuration in one folder. `channels` and `brands` are dictionaries as the configuration
    has them; `destinations` is a list of (brand, name), by default those of Brezza's playbook."""

    def __init__(self, test, name, channels, brands=None, playbook=None, destinations=None, settings=None):
        self.test, self.name = test, name
        self.folder = test.folder / name
        self.folder.mkdir()
        self.logs = self.folder / "logs"
        self.logs.mkdir()
        self.ports = Ports()
        self.process, self.world = {}, []
        self.environment = None  # of the services; None: the test's own
        self.secret_file("hook")
        self.links = {s: f"tcp://127.0.0.1:{self.ports.one()}" for s in SERVICES}
        self.http = {s: f"127.0.0.1:{self.ports.one()}" for s in SERVICES}
        self.listen = {s: f"127.0.0.1:{self.ports.one()}" for s in ("ingest", "console")}
        self.playbook = playbook or PLAYBOOK
        self.brands = brands or [{"name": "brezza", "title": "Brezza", "language": "it", "vips": ["vip_cavalli"]}]
        self.channels = channels
        self.settings = settings or {}  # further keys of the configuration
        self.open_world()
        self.destinations = self.usual_destinations() if destinations is None else [self.destination(*d) for d in destinations]
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
        """Those Brezza's playbook names. With more than one brand each gets a copy of the playbook with names of its own,
        because a destination belongs to one brand."""
        all_of_them = []
        for brand in self.brands:
            names = {n: n if len(self.brands) == 1 else f"{brand['name']}-{n}" for n in ("desk-mail", "crisis-mail", "crisis-hook")}
            if len(self.brands) > 1:
                text = pathlib.Path(self.playbook).read_text(encoding="utf-8")
                for old, new in names.items():
                    text = text.replace(old, new)
                copy = self.folder / f"playbook-{brand['name']}.yaml"
                copy.write_text(text, encoding="utf-8")
                brand["playbook"] = str(copy)
            all_of_them += [self.destination(brand["name"], new) for new in names.values()]
        return all_of_them

    def destination(self, brand, name):
        """A mailbox when its name ends in "mail" and mails can be received, otherwise a webhook."""
        if name.endswith("mail") and self.mails:
            return {"name": name, "brand": brand, "kind": "mail", "url": self.mails.url, "from": "ascolto@brezza.example",
                    "to": [f"{name}@brezza.example"]}
        return {"name": name, "brand": brand, "kind": "webhook", "url": f"{self.hooks.url}/{name}",
                "secret_file": "secret-hook"}

    def write_config(self):
        services = {s: {"link": self.links[s], "http": self.http[s]} for s in SERVICES}
        for s, address in self.listen.items():
            services[s]["listen"] = address
        for brand in self.brands:
            brand.setdefault("playbook", str(self.playbook))
        conf = {"data": "state", "programs": str(self.test.options.bin), "models": str(self.test.options.models),
                "fetch_allow": ["127.0.0.0/8"], "services": services, "brands": self.brands,
                "channels": self.channels, "destinations": self.destinations} | self.settings
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
                                        stderr=log, cwd=self.folder, env=self.environment)
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

    def command(self, *words, expect=0, timeout=120):
        """Runs `ascolto`; expect=None takes any exit status."""
        done = subprocess.run([str(self.test.options.bin / "ascolto"), "-c", str(self.config), *map(str, words)],
                              capture_output=True, text=True, errors="replace", timeout=timeout)
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

    def idle(self, status=None):
        """True when every service is up and nothing waits anywhere; what is in quarantine does not wait."""
        services = (status or self.status())["services"]
        return all(s["up"] for s in services) and not any(
            s["queue"]["messages"] or any(link["unacknowledged"] for link in s["links"]) for s in services)

    def settled(self):
        """True when nothing is on its way: all is acknowledged, handled and sent."""
        status = self.status()
        return self.idle(status) and status["balance"]["on_their_way"] == 0

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
        self.command("audit", "verify")  # whatever happened, the log of decisions is whole

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
