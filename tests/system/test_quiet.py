"""What must not alarm: one angry person, reposts of one complaint, an ordinary busy hour. Each in a fresh installation, and
then all three in one installation, as three brands that hear their messages at the same time."""
from harness import STORM, check, lines_of, system_test

FILES = {"angry": "one person, 60 messages", "reposts": "one complaint and 210 copies", "busy-hour": "130 messages, many subjects"}


def posts(brand):
    return STORM / f"{brand.replace('-', '_')}.jsonl"


def channel(brand):
    return {"name": f"{brand}-file", "brand": brand, "network": "x", "adapter": "jsonl", "catch_all": True,
            "settings": [f"file={posts(brand)}"]}


def check_quiet(t, a, brand):
    incidents = a.incidents(brand)
    check(not incidents, f"{brand} ({FILES[brand]}) made incidents: "
          f"{[(i['code'], i['title'], i['because']) for i in incidents]}")
    alarms = [d for d in a.hooks.list(brand=brand) if d["order"]["template"].startswith("incident")]
    check(not alarms, f"{brand} told somebody of an incident: {alarms}")
    counts = a.console(f"counts?brand={brand}")
    n = len(lines_of(posts(brand)))
    check(counts["messages"] == n, f"{brand}: {n} messages were given, its inbox counts {counts['messages']}")
    t.say(f"{a.name}, {brand}: {n} messages, {counts['cases']} cases, no incident")


def one_alone(t, brand):
    a = t.install(f"alone-{brand}", [channel(brand)], brands=[{"name": brand, "language": "it"}])
    a.start_ready()
    n = len(lines_of(posts(brand)))
    a.wait_accepted(n, 30)
    a.wait_settled(30)
    a.check_balance(n)
    check_quiet(t, a, brand)
    check(a.counter("escalation", "incidents_opened") == 0, "escalation counts an incident nobody shows")
    a.check_alerts()
    a.close()


def all_together(t):
    a = t.install("together", [channel(b) for b in FILES], brands=[{"name": b, "language": "it"} for b in FILES])
    a.start_ready()
    n = sum(len(lines_of(posts(b))) for b in FILES)
    a.wait_accepted(n, 30)
    a.wait_settled(30)
    balance = a.status()["balance"]
    check(balance["accepted"] == balance["arm_records"] == n, f"{n} messages were given: {balance}")
    check(a.status()["ok"] and not a.status()["wrong"], f"ascolto status: {a.status()['wrong']}")
    for brand in FILES:
        check_quiet(t, a, brand)
        rows = a.messages(brand)
        check({r["channel"] for r in rows} <= {p["channel"] for p in lines_of(posts(brand))} and
              len(rows) == len(lines_of(posts(brand))), f"{brand} sees messages of another brand")


def main(t):
    for brand in FILES:
        one_alone(t, brand)
    all_together(t)


system_test(main)
