"""The storm with its own spacing, 3,000 times as fast, and brought twice: by a file and by signed webhooks. Meanwhile
adapters are killed, services are killed, and services freeze for three seconds and go on as if nothing had been."""
import json
import os
import signal
import subprocess
import time

from harness import SERVICES, STORM, check, children_of, lines_of, spawn, system_test

PACE, SECONDS, FREEZE_S = 3000, 24, 3
ADAPTERS = 6


def channels(t):
    return [{"name": "storm", "brand": "brezza", "network": "x", "adapter": "jsonl", "catch_all": True,
             "settings": [f"file={STORM / 'storm.jsonl'}", f"pace={PACE / t.options.slow:g}"]},
            {"name": "hook", "brand": "brezza", "network": "x", "adapter": "webhook", "catch_all": True,
             "secret_file": "secret-hook"}]


def kill_adapter(t, a):
    alive = children_of(a.process["ingest"].pid)
    adapters = [pid for pid, name in alive.items() if name.startswith("ascolto-adapter")]
    if adapters:
        os.kill(t.random.choice(adapters), signal.SIGKILL)
    return len(adapters)


def freeze(a, service):
    """Gives what `ascolto status` said of it meanwhile."""
    process = a.process[service]
    process.send_signal(signal.SIGSTOP)
    time.sleep(FREEZE_S)
    wrong = a.status()["wrong"]
    process.send_signal(signal.SIGCONT)
    return wrong


def plan(t):
    """(seconds from the beginning, what, service)."""
    events = [((n + t.random.random()) * SECONDS / ADAPTERS, "adapter", "") for n in range(ADAPTERS)]
    frozen = t.random.sample(SERVICES, 3)
    # the avalanche is at 60 to 90 % of the file
    events += [(SECONDS * (0.2 + 0.25 * n), "freeze", s) for n, s in enumerate(frozen)]
    events += [(t.random.uniform(0, SECONDS), "kill", s) for s in SERVICES]
    return sorted(events)


def main(t):
    t.say(f"seed {t.options.seed}")
    a = t.install("brezza", channels(t))
    a.start_ready()
    began = time.monotonic()
    bring = [t.options.bin / "ascolto", "-c", a.config, "-o", "json", "send", STORM / "storm.jsonl", "--channel", "hook",
             "--batch", "3"]
    sender, killed = None, 0
    for at, what, service in plan(t):
        time.sleep(max(0, began + at * t.options.slow - time.monotonic()))
        if what == "adapter":
            killed += kill_adapter(t, a) > 0
        elif what == "kill":
            a.kill9(service)
            a.start(service)
            a.wait_ready(service)
        else:
            said = [s for s in freeze(a, service) if service in s]
            check(said, f"{service} was frozen for {FREEZE_S} s, and ascolto status said nothing of it")
            t.say(f"{service} frozen; status said: {said[0]}")
        if not sender and at > SECONDS / 2:
            sender = spawn(bring, stdout=subprocess.PIPE)
    report = json.loads(sender.communicate(timeout=120 * t.options.slow)[0])
    n = len(lines_of(STORM / "storm.jsonl"))
    check(report["ok"] and report["accepted"] + report["duplicates"] >= n, f"ascolto send says: {report}")
    t.wait(lambda: a.counter("ingest", "accepted") + a.counter("ingest", "duplicates") >= 2 * n, 60,
           "not every post was brought twice")
    a.wait_settled(60)
    for s in SERVICES:
        t.wait(lambda s=s: a.is_ready(s), 10, f"{s} is not ready")
    t.say(f"{killed} adapters killed, 3 services frozen for {FREEZE_S} s, 6 killed; settled {time.monotonic() - began:.1f} s "
          f"after the first message")
    a.check_balance(n)
    t.say(f"accepted = ARM records = shown = {n}; the webhook brought {report['accepted']} first, "
          f"{a.counter('ingest', 'duplicates')} came again; {a.check_cases()} cases, each once")
    a.check_one_red()
    t.say(f"one red incident; alerts: {a.check_alerts()}")


system_test(main)
