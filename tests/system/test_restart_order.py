"""Services come and go in any order. One that is missing for ten seconds gets its backlog when it comes, and `ascolto status`
says meanwhile in words what is wrong; SIGTERM ends each in order within two seconds; two processes never share a store."""
import subprocess
import time

from harness import SERVICES, STOP_LIMIT_S, STORM, check, system_test

MISSING_S = 10
DOWNSTREAM_OF = {"enrichment": "ingest", "intent": "enrichment", "escalation": "intent", "notification": "escalation",
                 "console": "escalation"}


def append(path, lines):
    with open(path, "ab") as f:
        f.writelines(lines)


def live_without(t, a, missing, path, lines):
    """All but one, started in random order, while messages come in."""
    order = t.random.sample(SERVICES, len(SERVICES))
    order.remove(missing)
    stopped = [s for s in order if s not in a.process or a.process[s].poll() is not None]
    for s in stopped:
        a.start(s)
        time.sleep(t.random.choice((0, 0.2)))
    began = time.monotonic()
    for n in range(MISSING_S):
        append(path, lines[n * len(lines) // MISSING_S:(n + 1) * len(lines) // MISSING_S])
        time.sleep(max(0, began + n + 1 - time.monotonic()))
    for s in order:
        a.wait_ready(s, 30)
    return order


def check_words(t, a, missing):
    """What an operator is told while it is missing."""
    status = a.command("status", expect=1)
    check(f"{missing} does not answer at {a.http[missing]}: " in status.stdout and "is it running?" in status.stdout,
          f"ascolto status does not say that {missing} is missing: {status.stdout}")
    upstream = DOWNSTREAM_OF[missing]
    sentence = f"{upstream}: {missing} does not answer at {a.links[missing]}: "
    check(sentence in status.stdout, f"ascolto status does not say that {upstream} waits for {missing}: {status.stdout}")
    said = next(line for line in status.stdout.splitlines() if line.startswith(sentence))
    check(missing == "notification" or " 0 messages wait" not in said, f"messages should wait for {missing}: {said}")
    if missing == "escalation":
        check("the balance is unknown while it can not be asked of escalation" in status.stdout,
              f"without escalation there is no balance: {status.stdout}")
    t.say(f"without {missing}: {said}")


def come_back(t, a, missing, n):
    a.start(missing)
    began = time.monotonic()
    a.wait_ready(missing)
    a.wait_accepted(n, 30)
    a.wait_settled(30)
    t.say(f"{missing} came {MISSING_S} s late; its backlog was worked off in {time.monotonic() - began:.2f} s")
    a.check_balance(n)


def refuse_second(t, a):
    """The second start with the same folder, and one with other ports and the same folder."""
    for service in SERVICES:
        second = subprocess.run([t.options.bin / f"ascolto-{service}", "-c", a.config], capture_output=True, text=True,
                                timeout=20, stdin=subprocess.DEVNULL)
        said = [line for line in second.stderr.splitlines() if " error " in line]
        check(second.returncode == 1, f"a second {service} on the same store ends with status {second.returncode}, not 1")
        check(len(said) == 1 and str(a.folder / "state" / service) in said[0] and "another process" in said[0],
              f"a second {service} should say in one sentence that another process has the store: {second.stderr}")
        check(a.is_ready(service), f"the first {service} suffered from the second")
    t.say(f"a second process is refused: {said[0].split(': ', 1)[1]}")


def stop_under_load(t, a, path, lines):
    """SIGTERM to each in random order while messages come in, each started again at once."""
    slowest = 0
    for n, service in enumerate(t.random.sample(SERVICES, len(SERVICES))):
        append(path, lines[n * len(lines) // 6:(n + 1) * len(lines) // 6])
        time.sleep(t.random.uniform(0, 0.3))
        status, took = a.stop(service)
        check(status == 0, f"{service} ended with {status} after SIGTERM; its log:\n{a.log_of(service)[-1000:]}")
        slowest = max(slowest, took)
        a.start(service)
        a.wait_ready(service)
    return slowest


def main(t):
    t.say(f"seed {t.options.seed}")
    path = t.folder / "posts.jsonl"
    path.touch()
    lines = (STORM / "storm.jsonl").read_bytes().splitlines(keepends=True)
    thirds = [lines[:150], lines[150:300], lines[300:]]
    a = t.install("brezza", [{"name": "storm", "brand": "brezza", "network": "x", "adapter": "jsonl", "catch_all": True,
                              "settings": [f"file={path}", "follow=yes"]}])
    n = 0
    for missing, part in zip((t.random.choice(("enrichment", "intent", "escalation")), t.random.choice(("console", "notification"))),
                             thirds):
        order = live_without(t, a, missing, path, part)
        t.say(f"started: {', '.join(order)}; {len(part)} messages without {missing}")
        check_words(t, a, missing)
        n += len(part)
        come_back(t, a, missing, n)
        if missing != "console" and missing != "notification":
            for s in SERVICES:
                a.stop(s)
    refuse_second(t, a)
    slowest = stop_under_load(t, a, path, thirds[2])
    n += len(thirds[2])
    a.wait_accepted(n, 30)
    a.wait_settled(30)
    a.check_balance(n)
    a.check_cases()
    a.check_alerts()
    for s in SERVICES:
        status, took = a.stop(s)
        check(status == 0, f"{s} ended with {status} after SIGTERM")
        slowest = max(slowest, took)
    t.say(f"SIGTERM ended each with status 0, the slowest after {slowest:.2f} s (limit {STOP_LIMIT_S:g} s)")


system_test(main)
