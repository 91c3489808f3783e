"""The storm while services die. Each of the six is killed with kill -9 and started again, three rounds, at random moments;
afterwards nothing may be missing and nothing may be there twice.

The posts are appended to a file the adapter follows: evenly, with a burst at every kill so that it strikes messages on their
way. Some lines are written in two halves, as a program that logs would write them.
"""
import threading
import time

from harness import READY_LIMIT_S, SERVICES, STORM, check, system_test

SECONDS, ROUNDS, BURST = 25, 3, 12


class Writer(threading.Thread):
    """Appends the storm's lines to `path`, over `seconds`."""

    def __init__(self, path, seconds):
        super().__init__(daemon=True)
        self.lines = (STORM / "storm.jsonl").read_bytes().splitlines(keepends=True)
        self.path, self.seconds, self.now = path, seconds, threading.Event()
        path.touch()

    def burst(self):
        """The next lines come at once."""
        self.now.set()

    def run(self):
        pause = self.seconds / (len(self.lines) - BURST * ROUNDS * len(SERVICES))
        hurry = 0
        with open(self.path, "ab", buffering=0) as f:
            for n, line in enumerate(self.lines):
                if hurry:
                    hurry -= 1
                elif self.now.wait(pause):
                    self.now.clear()
                    hurry = BURST
                cut = len(line) // 2 if n % 10 == 3 else len(line)
                f.write(line[:cut])
                if line[cut:]:
                    time.sleep(0.01)
                    f.write(line[cut:])


def kills(t):
    """(seconds from the beginning, service), every service once in each round, in order of time."""
    plan = []
    for r in range(ROUNDS):
        order = t.random.sample(SERVICES, len(SERVICES))
        slot = SECONDS / ROUNDS / len(order)
        plan += [(SECONDS * r / ROUNDS + (n + t.random.random()) * slot, s) for n, s in enumerate(order)]
    return plan


def main(t):
    t.say(f"seed {t.options.seed}")
    posts = t.folder / "posts.jsonl"
    a = t.install("brezza", [{"name": "storm", "brand": "brezza", "network": "x", "adapter": "jsonl", "catch_all": True,
                              "settings": [f"file={posts}", "follow=yes"]}])
    writer = Writer(posts, SECONDS * t.options.slow)
    a.start_ready()
    writer.start()
    began, took = time.monotonic(), {s: [] for s in SERVICES}
    for at, service in kills(t):
        time.sleep(max(0, began + at * t.options.slow - time.monotonic()))
        writer.burst()
        time.sleep(t.random.uniform(0, 0.25))  # the adapter looks for more five times a second
        a.kill9(service)
        time.sleep(t.random.choice((0, 0, 0.1, 0.3)))
        a.start(service)
        took[service].append(a.wait_ready(service))
    writer.join()
    n = len(writer.lines)
    a.wait_accepted(n, 30)
    a.wait_settled(30)
    t.say(f"{ROUNDS * len(SERVICES)} times kill -9 during {n} messages; settled {time.monotonic() - began:.1f} s after the first")
    t.say("ready after a restart, slowest: " + ", ".join(f"{s} {max(took[s]):.2f} s" for s in SERVICES))
    late = {s: max(v) for s, v in took.items() if max(v) > READY_LIMIT_S * t.options.slow}
    check(not late, f"not ready again within {READY_LIMIT_S:g} s: {late}")
    a.check_balance(n)
    t.say(f"accepted = ARM records = shown = {n}, {a.counter('ingest', 'duplicates')} brought again and taken once; "
          f"{a.check_cases()} cases, each once")
    a.check_one_red()
    t.say(f"one red incident; alerts: {a.check_alerts()}")


system_test(main)
