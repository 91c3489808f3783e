"""Starts that can not succeed end at once with status 1 and a sentence that names what is wrong and where; starts that are cut
off by kill -9, however early, never leave a store that can not be opened."""
import shutil
import socket
import subprocess
import time

from harness import PLAYBOOK, SERVICES, check, system_test

QUICK_S, CUTS = 1.0, 40


def run(t, service, config, limit_s=10):
    """(status, what it called an error, seconds)"""
    began = time.monotonic()
    done = subprocess.run([t.options.bin / f"ascolto-{service}", "-c", config], capture_output=True, text=True,
                          timeout=limit_s * t.options.slow, stdin=subprocess.DEVNULL)
    check("runtime error" not in done.stderr and "Sanitizer" not in done.stderr, f"{service}: {done.stderr}")
    said = [line.split(": ", 1)[1] for line in done.stderr.splitlines() if " error ascolto-" in line]
    return done.returncode, said, time.monotonic() - began


def faults(t, status, said, took, words):
    text = "\n".join(said)
    if status != 1:
        yield f"ended with status {status}, not 1"
    if len(said) != 1:
        yield f"took {len(said)} lines to say it"
    if took > QUICK_S * t.options.slow:
        yield f"needed {took:.1f} s to refuse"
    yield from (f"does not name \"{w}\"" for w in words if w not in text)


def refused(t, a, what, service, *words):
    """Notes what is wrong in a.problems, so that one run shows everything."""
    status, said, took = run(t, service, a.config)
    t.say(f"{what}: {' / '.join(said)}".replace(str(t.folder), "…"))
    found = list(faults(t, status, said, took, words))
    if found:
        a.problems.append(f"{what}: ascolto-{service} {', '.join(found)}; it said: {said}")


class Occupied:
    """A port somebody else listens on."""

    def __init__(self, address):
        host, port = address.replace("tcp://", "").split(":")
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((host, int(port)))
        self.socket.listen(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def ports(t, a):
    for what, service, address in (("link", "intent", a.links["intent"]), ("http", "escalation", a.http["escalation"]),
                                   ("webhooks", "ingest", a.listen["ingest"]), ("pages", "console", a.listen["console"])):
        with Occupied(address):
            refused(t, a, f"the port of {what} is taken", service, address.replace("tcp://", ""), "Address already in use")


def files(t, a):
    secret = a.folder / "secret-hook"
    secret.chmod(0o644)
    refused(t, a, "a secret everybody can read", "ingest", str(secret), "chmod 600")
    secret.chmod(0o600)
    secret.write_text("")
    refused(t, a, "an empty secret", "ingest", str(secret))
    a.secret_file("hook")

    good, broken = a.brands[0]["playbook"], t.folder / "broken.yaml"
    text = PLAYBOOK.read_text(encoding="utf-8")
    broken.write_text(text.replace("owner: strategist", "owner: nobody", 1), encoding="utf-8")
    a.brands[0]["playbook"] = str(broken)
    a.write_config()
    refused(t, a, "a playbook that names an actor there is not", "escalation", "broken.yaml:", "nobody")
    broken.write_text("name: [", encoding="utf-8")
    refused(t, a, "a playbook that is not YAML", "escalation", "broken.yaml:")
    a.brands[0]["playbook"] = str(t.folder / "absent.yaml")
    a.write_config()
    refused(t, a, "a playbook that is not there", "escalation", "absent.yaml")
    a.brands[0]["playbook"] = good
    a.write_config()


def stores(t, a):
    """A store of another service, and one in memory."""
    a.start_ready("notification")
    a.stop("notification")
    state = a.folder / "state"
    shutil.rmtree(state / "console")
    (state / "notification").rename(state / "console")
    refused(t, a, "the store of another service", "console", "state/console", "notification")
    (state / "console").rename(state / "notification")

    text = a.config.read_text(encoding="ascii")
    memory = f"/dev/shm/{t.folder.name}"
    a.config.write_text(text.replace('"data": "state"', f'"data": "{memory}"'), encoding="ascii")
    try:
        refused(t, a, "a store in memory", "intent", memory, "unsafe")
    finally:
        shutil.rmtree(memory, ignore_errors=True)
    a.config.write_text(text.replace('"data"', '"dta"'), encoding="ascii")
    refused(t, a, "a setting there is not", "enrichment", "ascolto.yaml:", "dta")
    a.write_config()


def cut_off_starts(t, a):
    """kill -9 within the first 60 ms, again and again; then all is well."""
    for n in range(CUTS):
        service = SERVICES[n % len(SERVICES)]
        a.start(service)
        time.sleep(t.random.uniform(0, 0.06))
        a.kill9(service)
    a.start_ready()
    check(a.status()["ok"], f"after {CUTS} starts that were cut off: {a.status()['wrong']}")
    t.say(f"{CUTS} starts cut off by kill -9 within 60 ms, and every store opens")


def main(t):
    a = t.install("brezza", [{"name": "hook", "brand": "brezza", "network": "x", "adapter": "webhook",
                              "secret_file": "secret-hook"}])
    cut_off_starts(t, a)
    for s in SERVICES:
        a.stop(s)
    a.problems = []
    for part in (ports, files, stores):
        part(t, a)
    check(not a.problems, f"{len(a.problems)} of the refusals are wrong:\n  " + "\n  ".join(a.problems))


system_test(main)
