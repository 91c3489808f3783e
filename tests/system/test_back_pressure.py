"""More than can be worked off. Escalation stands still (SIGSTOP) while a client posts signed webhooks as fast as it can: at some
point ingest says 503 and when to come again, no service grows beyond its bound, and when escalation goes on everything that
was accepted gets its record. In a build with sanitizers it is enrichment, which needs a third of the messages."""
import http.client
import json
import re
import signal
import time

from harness import MEMORY_LIMIT, SERVICES, STORM, check, http_call, lines_of, memory_of, sign, system_test

MOST_POSTS, BATCH, REFUSALS = 150_000, 500, 20


def bodies():
    """Endless deliveries of BATCH posts by some 2,000 people."""
    texts = [p["text"] for p in lines_of(STORM / "busy_hour.jsonl")]
    n = 0
    while True:
        posts = []
        for _ in range(BATCH):
            posts.append({"native_id": f"m{n}", "kind": "message", "surface": "public",
                          "author": {"handle": f"person{n % 2000}"}, "text": f"{texts[n % len(texts)]} ({n})"})
            n += 1
        yield json.dumps({"posts": posts}).encode()


class Client:
    """Posts over one connection, and keeps what it was told."""

    def __init__(self, a):
        self.a, self.accepted, self.refused, self.first_503 = a, 0, [], None
        host, port = a.listen["ingest"].split(":")
        self.connection = http.client.HTTPConnection(host, int(port), timeout=60)

    def post(self, body):
        """True when it was taken."""
        self.connection.request("POST", "/hook/hook", body, {"Content-Type": "application/json",
                                                             "X-Ascolto-Signature": sign(body)})
        response = self.connection.getresponse()
        answer = json.loads(response.read())
        if response.status == 200:
            self.accepted += answer["accepted"]
            return True
        check(response.status == 503, f"under back-pressure ingest answers {response.status}: {answer}")
        check(response.getheader("Retry-After", "").isdigit(), "a 503 without Retry-After")
        check(answer["error"], "a 503 without a reason")
        self.first_503 = self.first_503 or self.accepted
        self.refused.append(answer["error"])
        return False


class Memory:
    def __init__(self, a):
        self.a, self.most = a, {s: (0, 0) for s in SERVICES}

    def look(self):
        for s in SERVICES:
            now = memory_of(self.a.process[s].pid)
            self.most[s] = tuple(max(x, y) for x, y in zip(self.most[s], now))

    def __str__(self):
        return ", ".join(f"{s} {own >> 20} ({whole >> 20})" for s, (own, whole) in self.most.items())


def flood(t, a, memory):
    """Until REFUSALS 503s came; a refused body is sent again, as a client should."""
    client, began = Client(a), time.monotonic()
    for body in bodies():
        while not client.post(body):
            memory.look()
            if len(client.refused) >= REFUSALS:
                break
            time.sleep(0.1)
        memory.look()
        if len(client.refused) >= REFUSALS or client.accepted >= MOST_POSTS:
            break
    took = time.monotonic() - began
    check(client.refused, f"{client.accepted} posts were taken while a service stood still, and never a 503")
    t.say(f"{client.accepted} posts taken in {took:.1f} s ({client.accepted / took:.0f}/s); the first 503 after "
          f"{client.first_503}: \"{client.refused[0]}\"; then {len(client.refused)} more tries")
    return client, body


def cpu_seconds(a, service):
    text = http_call(a.http[service], "/metrics").body.decode()
    return float(re.search(r"^process_cpu_seconds_total (\S+)", text, re.M)[1])


def main(t):
    a = t.install("brezza", [{"name": "hook", "brand": "brezza", "network": "x", "adapter": "webhook",
                              "secret_file": "secret-hook"}])
    a.start_ready()
    memory = Memory(a)
    frozen = "enrichment" if t.options.sanitized else "escalation"
    a.process[frozen].send_signal(signal.SIGSTOP)
    client, body = flood(t, a, memory)
    wrong = a.status()["wrong"]
    check(any(f"{frozen} does not answer" in w for w in wrong), f"ascolto status does not say where it is stuck: {wrong}")
    backlog = {s: sum(link["unacknowledged"] for link in a.service_status(s)["links"]) for s in SERVICES if s != frozen}
    t.say(f"waiting: {backlog}")
    for s in SERVICES:
        check(s == frozen or a.is_ready(s), f"{s} is not ready under back-pressure, and it should only wait")

    a.process[frozen].send_signal(signal.SIGCONT)
    began = time.monotonic()
    t.wait(lambda: client.post(body), 60, f"after {frozen} goes on, ingest still says 503", pause_s=0.5)
    t.say(f"taken again {time.monotonic() - began:.1f} s after {frozen} went on")
    while not a.settled():
        memory.look()
        check(time.monotonic() - began < 150 * t.options.slow, f"not drained after 150 s: {a.status()['balance']}")
        time.sleep(0.25)
    took = time.monotonic() - began
    balance = a.status()["balance"]
    t.say(f"{balance['accepted']} messages drained {took:.1f} s after {frozen} went on ({balance['accepted'] / took:.0f}/s)")
    t.say(f"{a.counter('escalation', 'cases_opened')} cases, {a.counter('escalation', 'orders')} alerts ordered, "
          f"{a.counter('notification', 'sent')} of them sent")
    t.say("CPU seconds in all: " + ", ".join(f"{s} {cpu_seconds(a, s):.1f}" for s in SERVICES))
    t.say(f"most memory in MB, own (with the mapped store): {memory}")
    check(client.accepted == balance["accepted"] == balance["arm_records"] == a.counter("console", "messages_shown"),
          f"the client was told of {client.accepted} accepted; {balance}")
    check(not balance["quarantine"], f"messages went to quarantine: {balance}")
    big = {s: own for s, (own, _) in memory.most.items() if own > MEMORY_LIMIT}
    check(t.options.sanitized or not big, f"services grew beyond {MEMORY_LIMIT >> 20} MB: {big}")


system_test(main)
