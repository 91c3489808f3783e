"""Clocks survive. An incident nobody acknowledges calls the next actor of its chain after a minute, exactly once, though
escalation was killed meanwhile, or did not run at all when the minute was over; one that was acknowledged calls nobody. The
clocks of cases likewise."""
import json
import time

from harness import STORM, check, gold, lines_of, system_test

PLAYBOOK = """
name: timers
version: 1
window_minutes: 60
yellow_people: 4
red_people: 8
actors:
  - {name: manager, title: Manager, tell: [BRAND-manager]}
  - {name: chief, title: Chief, tell: [BRAND-chief]}
kinds:
  - {name: all, title: Everything, code: yellow, owner: manager, acknowledge_minutes: 1, resolve_minutes: 60}
incidents:
  - code: yellow
    chain: [{after_minutes: 0, actor: manager}, {after_minutes: 1, actor: chief}]
  - code: red
    chain: [{after_minutes: 0, actor: manager}, {after_minutes: 1, actor: chief}]
"""
BRANDS = {"unanswered": "nobody acknowledges", "answered": "somebody acknowledges", "asleep": "nobody, and escalation is down "
          "when the minute is over"}
MINUTE_S, EXACT_S = 60, 2.0


def install(t):
    brands = []
    for b in BRANDS:
        playbook = t.folder / f"{b}.yaml"
        playbook.write_text(PLAYBOOK.replace("BRAND", b), encoding="utf-8")
        brands.append({"name": b, "language": "en", "playbook": str(playbook)})
    channels = [{"name": b, "brand": b, "network": "x", "adapter": "webhook", "catch_all": True, "secret_file": "secret-hook"}
                for b in BRANDS]
    return t.install("clocks", channels, brands=brands, destinations=[(b, f"{b}-{who}") for b in BRANDS for who in ("manager", "chief")])


def make_incident(t, a, brand):
    """Thirty people write about one fault; gives the incident, and our clock when its first call had come."""
    groups, path = gold("storm.jsonl"), t.folder / f"{brand}.jsonl"
    posts = [p for p in lines_of(STORM / "storm.jsonl") if groups[p["native_id"]] == "fault"][:60]
    for p in posts:
        p["channel"] = f"{brand}-{p['channel']}"  # the same posts for each brand: another channel, another message
    path.write_text("".join(json.dumps(p) + "\n" for p in posts), encoding="utf-8")
    report = a.command_json("send", path, "--channel", brand)
    check(report["accepted"] == len(posts), f"ascolto send: {report}")
    t.wait(lambda: a.hooks.list(brand=brand, code="red", destination=f"{brand}-manager"), 10,
           f"{brand}: the manager is not called at once")
    a.wait_settled(10)
    red = [i for i in a.incidents(brand) if i["code"] == "red"]
    check(len(red) == 1, f"{brand} should have one red incident: {a.incidents(brand)}")
    return red[0], a.hooks.list(brand=brand, code="red", destination=f"{brand}-manager")[0]["at"]


def calls(a, brand):
    return a.hooks.list(brand=brand, code="red", destination=f"{brand}-chief")


def acknowledge(t, a, brand, incident):
    refused = a.console_post(f"incidents/{incident['id']}/acknowledge")
    check(refused.status == 400 and "actor" in refused.error(), f"acknowledging without saying who: {refused.status}")
    answer = a.console_post(f"incidents/{incident['id']}/acknowledge", actor="Ada")
    check(answer.status == 202, f"acknowledging an incident: {answer.status} {answer.error()}")
    t.wait(lambda: a.console(f"incidents/{incident['id']}")["incident"].get("acknowledged_by") == "Ada", 5,
           f"{brand}: the console does not show who acknowledged")


def acknowledge_case(t, a, case_id):
    answer = a.console_post(f"cases/{case_id}/acknowledge", actor="Ada")
    check(answer.status == 202, f"acknowledging a case: {answer.status} {answer.error()}")
    t.wait(lambda: a.console(f"cases/{case_id}")["case"]["state"] == "acknowledged", 5, "the case does not become acknowledged")


def sleep_until(at):
    time.sleep(max(0, at - time.time()))


def check_unanswered(t, a, called_at):
    """Its minute is over while everything runs, after two restarts of escalation."""
    t.wait(lambda: calls(a, "unanswered"), 15, "the chief was not called after a minute")
    late = calls(a, "unanswered")[0]["at"] - called_at - MINUTE_S
    t.say(f"the chief was called {MINUTE_S + late:.2f} s after the manager, though escalation was killed three times meanwhile")
    check(abs(late) <= EXACT_S * t.options.slow, f"the next call should come after {MINUTE_S} s, it came {late:+.1f} s beside that")
    check(calls(a, "unanswered")[0]["order"]["template"] == "incident_unanswered", "the call does not say why it comes")


def check_cases(t, a, kept):
    """Every case nobody acknowledged is late, once; `kept` is not."""
    ids = {row["case_id"] for b in BRANDS for row in a.messages(b) if "case_id" in row}
    late = {i for i in ids if a.console(f"cases/{i}")["case"]["late"]}
    check(kept not in late, "a case that was acknowledged in time is marked late")
    counted = a.counter("escalation", "cases_late")
    check(late == ids - {kept} and counted == len(late),
          f"{len(ids) - 1} cases should be late, {len(late)} are, and {counted} clocks rang")
    t.say(f"{len(late)} cases late, each once; the acknowledged one is not")


def main(t):
    a = install(t)
    a.start_ready()
    first, called_at = make_incident(t, a, "unanswered")
    second, _ = make_incident(t, a, "answered")
    acknowledge(t, a, "answered", second)
    case_id = next(row["case_id"] for row in a.messages("unanswered") if "case_id" in row)
    acknowledge_case(t, a, case_id)
    for after in (4, 8):
        sleep_until(called_at + after)
        a.kill9("escalation")
        a.start_ready("escalation")
    _, asleep_at = make_incident(t, a, "asleep")
    sleep_until(called_at + 20)
    a.kill9("escalation")
    a.start_ready("escalation")
    check(not calls(a, "unanswered"), "the chief was called before the minute was over")
    sleep_until(called_at + MINUTE_S - 3)
    check_unanswered(t, a, called_at)
    sleep_until(asleep_at + MINUTE_S - 3)
    a.stop("escalation")
    sleep_until(asleep_at + MINUTE_S + 2)
    check(not calls(a, "asleep"), "the chief was called by nobody")
    a.start_ready("escalation")
    began = time.monotonic()
    t.wait(lambda: calls(a, "asleep"), 5, "the call that was due while escalation was down does not come")
    t.say(f"a call that was due while escalation was down came {time.monotonic() - began:.2f} s after its start")
    time.sleep(2)
    a.wait_settled(10)
    numbers = {b: len(calls(a, b)) for b in BRANDS}
    check(numbers == {"unanswered": 1, "answered": 0, "asleep": 1}, f"calls to the chief: {numbers}")
    check(a.console(f"incidents/{first['id']}")["incident"]["alerts"] > first["alerts"], "the incident does not count its calls")
    check_cases(t, a, case_id)
    check(a.status()["ok"], f"ascolto status: {a.status()['wrong']}")
    a.check_alerts()


system_test(main)
