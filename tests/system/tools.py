"""Plain helpers of the system tests: what they check with, files, ports, processes, HTTP."""
import ctypes
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

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
