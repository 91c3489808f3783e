"""3,000 messages of 100 people as fast as they go, while every 50 to 350 ms one of the services is killed with kill -9 and
started again at once. Nothing is missing, nothing is twice, and each person's messages stay in order.

Services can not tell kill -9 from a crash: a message that is being handled at three ends of a service in a row is taken for
poison and put in quarantine. When that happens to an innocent one the test says so, and replays it, as an operator would."""
import json
import time

from harness import SERVICES, STORM, lines_of, check, system_test

PEOPLE, EACH, KILLS = 100, 30, 60


def write_posts(path):
    """Ordinary posts; the n-th of a person is the n-th in the file."""
    texts = [p["text"] for p in lines_of(STORM / "busy_hour.jsonl")]
    now = int(time.time() * 1000) - 3600000
    with open(path, "w", encoding="utf-8") as f:
        for n in range(PEOPLE * EACH):
            post = {"native_id": f"m{n}", "kind": "message", "surface": "public", "conversation": f"c{n % PEOPLE}",
                    "author": {"handle": f"person{n % PEOPLE}", "followers": 5}, "text": f"{texts[n % len(texts)]} ({n})",
                    "created_at_ms": now + n * 100}
            f.write(json.dumps(post) + "\n")


def main(t):
    t.say(f"seed {t.options.seed}")
    posts, n = t.folder / "posts.jsonl", PEOPLE * EACH
    write_posts(posts)
    a = t.install("brezza", [{"name": "flood", "brand": "brezza", "network": "x", "adapter": "jsonl",
                              "settings": [f"file={posts}"]}])
    a.start_ready()
    began = time.monotonic()
    for _ in range(KILLS):
        time.sleep(t.random.uniform(0.05, 0.35))
        service = t.random.choice(SERVICES)
        a.kill9(service)
        a.start(service)
    for s in SERVICES:
        a.wait_ready(s)
    a.wait_accepted(n, 60)
    late = replay_innocents(t, a)
    a.wait_settled(60)
    t.say(f"{KILLS} times kill -9 within {time.monotonic() - began:.1f} s, settled")
    a.check_balance(n)
    if not late:  # what enrichment took up late has a later place among its person's messages
        check_order(a)
        t.say("every person's messages were handled in their order")
    t.say(f"accepted = ARM records = shown = {n}; "
          f"{a.counter('ingest', 'duplicates')} brought again and taken once; {a.check_cases()} cases; "
          f"alerts: {a.check_alerts()}")


def replay_innocents(t, a):
    t.wait(a.idle, 60, lambda: f"messages are still on their way: {a.status()['balance']}")
    kept = a.command_json("quarantine", "list")["items"]
    for item in kept:
        check(item["attempts"] >= 3,
              f"a message is in quarantine at {item['service']} and was tried {item['attempts']} times: {item['reason']}")
    if kept:
        t.say(f"{len(kept)} innocent messages in quarantine after three ends in a row, replayed: "
              f"{[(i['service'], i['reason']) for i in kept]}")
        a.command("quarantine", "replay", "all")
    return any(item["service"] == "enrichment" for item in kept)


def check_order(a):
    """Enrichment counts a customer's messages: the n-th in the file must have been the n-th heard."""
    heard = {}
    for row in a.messages():
        arm = a.console(f"messages/{row['id']}")["arm"]
        number = int(arm["message"]["post"]["native_id"][1:])
        heard.setdefault(number % PEOPLE, []).append((number, arm["message"]["knowledge"]["messages"]))
    for person, pairs in heard.items():
        pairs.sort()
        check([count for _, count in pairs] == list(range(1, EACH + 1)),
              f"the messages of person{person} were handled out of order, twice or not at all: {pairs}")


system_test(main)
