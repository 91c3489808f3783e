"""The storm, replayed as fast as it goes: every message is accounted for, and exactly one red incident is told, once."""
import datetime
import time

from harness import PLAYBOOK, STORM, DebianWebhook, check, gold, lines_of, system_test

FEWEST_QUIET_JOKES = 0.60  # of jokes and spam, the part that must not open a case
LINES = len(lines_of(STORM / "storm.jsonl"))


def install(t):
    """Brezza's own playbook; the area manager is also told by a receiver that is not ours."""
    playbook = t.folder / "playbook.yaml"
    text = PLAYBOOK.read_text(encoding="utf-8")
    duty = DebianWebhook.available()
    if duty:
        text = text.replace("tell: [crisis-mail, crisis-hook]", "tell: [crisis-mail, crisis-hook, duty-hook]")
    playbook.write_text(text, encoding="utf-8")
    a = t.install("brezza", [{"name": "storm", "brand": "brezza", "network": "x", "adapter": "jsonl", "catch_all": True,
                              "settings": [f"file={STORM / 'storm.jsonl'}", "pace=0"]}], playbook=playbook)
    a.duty = None
    if duty:
        a.duty = DebianWebhook(a.ports.one(), a.folder / "duty")
        a.world.append(a.duty)
        a.destinations.append(a.destination("brezza", "duty-hook") | {"url": a.duty.url})
        a.write_config()
    else:
        t.say("Debian's webhook is not installed: only the receiver of the test checks signatures")
    return a


def check_incident(t, a):
    incidents = a.incidents()
    red = [i for i in incidents if i["code"] == "red"]
    check(len(red) == 1, f"there should be exactly one red incident: {[(i['code'], i['title']) for i in incidents]}")
    check(a.counter("escalation", "incidents_red") == 1, "escalation counts another number of red incidents")
    i = red[0]
    opened, reddened = (datetime.datetime.fromtimestamp(i[k] / 1000, datetime.timezone(datetime.timedelta(hours=1)))
                        for k in ("opened_ms", "red_ms"))
    t.say(f"incident \"{i['title']}\": opened {opened:%H:%M:%S}, red {reddened:%H:%M:%S} of the storm's day, "
          f"{i['peak_people']} people at its peak; all incidents: {[(x['code'], x['title']) for x in incidents]}")
    groups, posts = gold("storm.jsonl"), lines_of(STORM / "storm.jsonl")
    fault = [p for p in posts if groups[p["native_id"]] == "fault"]
    for word, ms in (("opened", i["opened_ms"]), ("red", i["red_ms"])):
        people = {p["author"]["handle"] for p in fault if p["created_at_ms"] <= ms}
        t.say(f"{word} {(ms - fault[0]['created_at_ms']) / 60000:.0f} minutes after the fault's first message, when {len(people)} "
              f"people had written of it")
    check(i["peak_people"] >= 120 and i["actors"] and i["steps"], "the incident lacks its people, actors or steps")
    return i


def check_announcement(t, a, incident):
    hooks = [d for d in a.hooks.list(code="red", incident_id=incident["id"]) if d["order"]["template"].startswith("incident")]
    check(len(hooks) == 1, f"the red incident's webhook should arrive exactly once; it came {len(hooks)} times")
    check(hooks[0]["order"]["incident"]["people"] >= 120, "the webhook does not hold the incident's state")
    own = hooks[0]["order"]
    t.say(f"its webhook left {(hooks[0]['at'] * 1000 - own['arrived_ms']):.0f} ms after the message that made it red arrived "
          f"at ingest (in a replay that stuffs {LINES} messages in at once)")
    if a.mails:
        mails = [m for m in a.mails.list() if m["references"] and incident["id"] in m["references"] and
                 m["to"] == ["crisis-mail@brezza.example"]]
        check(len(mails) == 1, f"the red incident's mail should arrive exactly once; {len(mails)} came")
        check("CODICE ROSSO" in mails[0]["subject"] and incident["id"] in mails[0]["body"] and not mails[0]["defects"],
              f"the mail does not say what it is about: {mails[0]}")
        all_ids = [m["message_id"] for m in a.mails.list()]
        check(len(all_ids) == len(set(all_ids)), f"a Message-ID came twice: {all_ids}")
    if a.duty:
        # it answers before its command has run
        t.wait(lambda: hooks_of_duty(a, own), 5, "Debian's webhook did not accept the red incident's signature")
        check(len(a.duty.list()) == len(set(a.duty.list())), f"Debian's webhook got a delivery twice: {a.duty.list()}")


def hooks_of_duty(a, order):
    """The delivery that told duty-hook of the same incident."""
    items = a.deliveries()
    ids = {d["order"]["id"] for d in items if d["order"]["destination"] == "duty-hook" and
           d["order"].get("incident_id") == order["incident_id"] and d["order"]["code"] == "red"}
    return len(ids) == 1 and ids <= set(a.duty.list())


def check_all_duty(a):
    ended = [d for d in a.deliveries() if d["order"]["destination"] == "duty-hook"]
    check(all(d["result"] == "sent" for d in ended), f"Debian's webhook refused deliveries: {ended}")


def check_records(t, a):
    """Every message's ARM record has its six parts. Gives native id -> record."""
    records, began = {}, time.monotonic()
    for row in a.messages():
        arm = a.console(f"messages/{row['id']}")["arm"]
        post, known, meant = (arm["message"][k] for k in ("post", "knowledge", "understanding"))
        parts = {
            "WHAT": post.get("text") and arm["initiator"] and arm["message_id"] == row["id"],
            "WHERE": post["channel"] and post["surface"] != "unknown" and arm["place"],
            "INTENTION": meant["model"] and "intent" in meant and "expectation" in meant and "lane" in meant,
            "KNOW": known["customer_id"] and known["messages"] >= 1 and "vip" in known,
            "RULES": arm["playbook"] and (arm.get("rules") or arm["code"] in ("none", "green")),
            "ACTION": arm["actions"] and all(x["name"] and x["actor"] and x["at_ms"] for x in arm["actions"]),
        }
        missing = [name for name, there in parts.items() if not there]
        check(not missing, f"the ARM record of {post['native_id']} ({row['id']}) lacks {missing}: {arm}")
        records[post["native_id"]] = arm
    t.say(f"{len(records)} ARM records read one by one, {1000 * (time.monotonic() - began) / len(records):.1f} ms each")
    check(set(records) == set(gold("storm.jsonl")), "the console does not show the file's posts, each once")
    return records


def check_cases(t, a, records):
    groups = gold("storm.jsonl")
    of = lambda group: [records[n] for n, g in groups.items() if g == group]  # noqa: E731
    for arm, kind, code in ((of("safety")[0], "safety", "red"), (of("vip")[0], "vip", "yellow")):
        check("case_id" in arm, f"the {kind} message opened no case: {arm.get('rules')} {arm['actions']}")
        case = a.console(f"cases/{arm['case_id']}")["case"]
        check(case["code"] == code and case["owner"],
              f"the {kind} message's case should be {code}: it is {case['code']}, kind {case['kind']}")
        t.say(f"{kind}: case of kind {case['kind']}, code {case['code']}, owner {case['owner']}")
    told = [x for x in of("safety")[0]["actions"] if x["name"] == "notify"]
    check(any(x["result"] == "sent" for x in told), f"nobody is told at once of the danger: {told}")
    t.say("the danger: " + ", ".join(f"{x['actor']} {x['result']}" for x in told))
    check(not any("case_id" in arm for arm in of("self")), "the brand's own posts opened cases")
    quiet = {g: [("case_id" not in arm) for arm in of(g)] for g in ("joke", "spam")}
    both = quiet["joke"] + quiet["spam"]
    for g in list(quiet) + ["attack", "repost", "angry", "fault", "service"]:
        with_case = sum("case_id" in arm for arm in of(g))
        fresh = len({arm["case_id"] for arm in of(g) if "case_id" in arm})
        t.say(f"{g}: {len(of(g))} messages, {with_case} of them belong to {fresh} cases")
    joined = [g for n, g in groups.items() if "incident_id" in records[n]]
    t.say(f"{len(joined)} messages belong to the incident: {joined.count('fault')} of the {len(of('fault'))} about the fault, "
          f"{len(joined) - joined.count('fault')} others")
    opened = a.check_cases()
    silent = sum(both) / len(both)
    false_cases = len(both) - sum(both)
    t.say(f"jokes and spam without a case: {silent:.0%} (at least {FEWEST_QUIET_JOKES:.0%}); {opened} cases, "
          f"{false_cases} of them from jokes and spam: precision {1 - false_cases / opened:.1%}")
    check(silent >= FEWEST_QUIET_JOKES, "too many jokes and spam opened cases")


def main(t):
    a = install(t)
    a.start_ready("enrichment", "intent", "escalation", "notification", "console")
    began = time.monotonic()
    a.start_ready("ingest")
    a.wait_accepted(LINES, 60)
    accepted = time.monotonic() - began
    a.wait_settled(60)
    t.say(f"{LINES} messages accepted {accepted:.2f} s and settled {time.monotonic() - began:.2f} s after ingest's start")
    a.check_balance(LINES)
    incident = check_incident(t, a)
    check_announcement(t, a, incident)
    if a.duty:
        check_all_duty(a)
    t.say(f"alerts: {a.check_alerts(len(a.duty.list()) if a.duty else 0)}")
    records = check_records(t, a)
    check_cases(t, a, records)


system_test(main)
