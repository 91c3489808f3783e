"""Who an installation speaks with: a receiver of webhooks, a mailbox, Debian's `webhook`. Each keeps what it got."""
import hashlib
import hmac
import http.server
import json
import pathlib
import subprocess
import threading
import time

from tools import HERE, SECRET, check, spawn


class Hooks:
    """Receives webhooks of notification. A delivery is kept when both signatures are right and its time is near; what is
    not is counted in `refused` and answered 401."""

    def __init__(self, port, secret=SECRET):
        self.secret, self.got, self.refused = secret, [], []
        self.now = time.time  # a test that moves the clock moves this one too
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
        if abs(self.now() - int(given["t"])) > 300:
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
