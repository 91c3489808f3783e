"""The playbook changes while everything runs. A bad one is refused with file, line and column, what is wrong and what to write
instead, by `ascolto check` and by reloading alike, and the old one goes on deciding; a good one decides from the next message
on, and each record names the version that decided it. Then a case goes its way by people's decisions."""
import json
import signal

from harness import STORM, check, http_call, lines_of, system_test

GOOD = """name: acme
version: VERSION
languages: [it, en]
time_zone: Europe/Rome
calendars:
  - {name: desk, hours: [{days: [mon, tue, wed, thu, fri, sat, sun], from: "00:00", to: "24:00"}], holidays: ["02-29"]}
actors:
  - {name: desk, title: Desk, tell: [desk-hook]}
  - {name: boss, title: Boss, tell: [boss-hook]}
  - {name: on_call, title: On call, rotation: week}
rotations:
  - {name: week, starts: "2026-01-05", at: "08:00", actors: [desk, boss]}
chains:
  - {name: all, calls: [{after_minutes: 0, actor: on_call}], then: {chain: top, after_minutes: 5}}
  - {name: top, calls: [{after_minutes: 0, actor: boss}]}
sla:
  - {name: usual, calendar: desk, acknowledge_minutes: 60, resolve_minutes: 480, late: all}
kinds:
  - {name: loud, title: Loud, when: {text: ['nobody writes this']}, code: yellow, owner: desk, sla: usual}
  - {name: rest, title: Everything, code: yellow, owner: desk, sla: usual, allowed: [reply]}
incidents:
  - {code: red, call: all}
crisis:
  holding:
    - {language: it, texts: [Eccoci, Ci siamo]}
    - {language: en, texts: [Here we are, We are on it]}
"""

# What is changed into what, and some words of the remedy. The place is the line that was changed, if not elsewhere.
MISTAKES = [
    ("unknown actor", "code: yellow, owner: desk, sla: usual}", "code: yellow, owner: deks, sla: usual}", "there are desk, boss, on_call"),
    ("unknown actor in a chain", "calls: [{after_minutes: 0, actor: boss}]", "calls: [{after_minutes: 0, actor: bos}]", "did you mean \"boss\""),
    ("cycle in a chain", "actor: boss}]}\nsla", "actor: boss}], then: {chain: all, after_minutes: 5}}\nsla", "comes back to itself (all, then top, then all)", "elsewhere"),
    ("unknown chain", "late: all}", "late: everyone}", "there is no chain \"everyone\""),
    ("overlapping hours", "to: \"24:00\"}]", "to: \"24:00\"}, {days: [mon], from: \"09:00\", to: \"10:00\"}]", "let one end where the other begins"),
    ("impossible date", "[\"02-29\"]", "[\"02-30\"]", "\"12-25\" for every year"),
    ("impossible time", "from: \"00:00\"", "from: \"00:60\"", "write hours and minutes"),
    ("unknown day", "[mon, tue,", "[lun, tue,", "write mon, tue"),
    ("unknown time zone", "Europe/Rome", "Europe/Roma", "write one like Europe/Rome"),
    ("missing language", "    - {language: en, texts: [Here we are, We are on it]}\n", "", "holding is missing in en", "elsewhere"),
    ("bad language", "[it, en]", "[it, english]", "two small letters"),
    ("bad expression", "nobody writes this", "nobody (writes this", "put \\ before a sign"),
    ("exponential expression", "nobody writes this", "(a+)+$", "do not repeat what repeats"),
    ("unknown key", "title: Loud", "titel: Loud", "did you mean \"title\""),
    ("unknown fact", "when: {text:", "when: {texts:", "did you mean \"text\""),
    ("unknown code", "code: yellow, owner: desk, sla: usual, allowed", "code: orange, owner: desk, sla: usual, allowed", "write green, yellow or red"),
    ("unknown action", "[reply]", "[repli]", "did you mean \"reply\""),
    ("unknown policy", "sla: usual, allowed", "sla: usuel, allowed", "did you mean \"usual\""),
    ("unknown calendar", "calendar: desk", "calendar: disk", "did you mean \"desk\""),
    ("promises upside down", "acknowledge_minutes: 60", "acknowledge_minutes: 600", "up to resolve_minutes"),
    ("no red incident", "{code: red, call", "{code: yellow, call", "add one, for danger does not ask first", "elsewhere"),
    ("nobody at once", "call: all}\ncrisis", "chain: [{after_minutes: 3, actor: boss}]}\ncrisis", "after_minutes: 0"),
    ("same name twice", "name: boss,", "name: desk,", "a name of its own"),
    ("rotation of nobody", "actors: [desk, boss]", "actors: [desk, bossy]", "did you mean \"boss\""),
    ("kinds in the wrong order", "when: {text: ['nobody writes this']}, ", "", "put it last"),
    ("a number that is none", "resolve_minutes: 480", "resolve_minutes: soon", "should be a whole number"),
    ("a version that is missing", "version: VERSION\n", "", "\"version\" is missing", "elsewhere"),
    ("not YAML", "  - {name: top,", "  - {name: top", "playbook.yaml:", "elsewhere"),
    ("a destination nobody configured", "[boss-hook]", "[boss-phone]", "not among the destinations", "elsewhere"),
    ("changed under the same version", "title: Everything", "title: All of it", "write version: 2", "elsewhere"),
]


def send(t, a, n, first):
    posts = lines_of(STORM / "storm.jsonl")[first:first + n]
    path = t.folder / f"posts-{first}.jsonl"
    for p in posts:
        p["channel"] = f"hook-{p['channel']}"
    path.write_text("".join(json.dumps(p) + "\n" for p in posts), encoding="utf-8")
    before = a.counter("escalation", "arm_records")
    a.command("send", path, "--channel", "hook")
    t.wait(lambda: a.counter("escalation", "arm_records") == before + n, 20, "the messages are not decided")
    a.wait_settled(20)
    return [a.console(f"messages/{row['id']}")["arm"] for row in a.messages()]


def versions(records):
    count = {}
    for r in records:
        count[r["playbook"]] = count.get(r["playbook"], 0) + 1
    return count


def refuse(t, a, path, mistake):
    what, old, new, remedy, *elsewhere = mistake
    text = GOOD.replace("VERSION", "1") if what.startswith("changed") else GOOD
    check(old in text, f"{what}: the test's own playbook has no \"{old}\"")
    path.write_text(text.replace(old, new, 1).replace("VERSION", "2"), encoding="utf-8")
    answer = http_call(a.http["escalation"], "/-/reload", "POST", b"")
    said = answer.error()
    t.say(f"{what}: {said}".replace(str(t.folder), "…"))
    check(answer.status >= 400, f"{what}: reloading answered {answer.status}")
    line = GOOD[:GOOD.index(old)].count("\n") + 1
    wanted = [remedy] + ([] if elsewhere else [f"playbook.yaml:{line}:"])
    check(all(w in said for w in wanted), f"{what}: should say {wanted}, says: {said}")
    if not what.startswith("changed"):
        checked = a.command("check", expect=1).stderr
        check(remedy in checked, f"{what}: ascolto check says: {checked}")


def a_case_goes_its_way(t, a):
    case = a.console("cases?state=open&limit=1")["cases"][0]
    path = f"cases/{case['id']}"

    def change(state, **body):
        answer = a.console_post(path + "/change", actor="Ada", **body)
        check(answer.status == 202, f"{body}: {answer.status} {answer.error()}")
        t.wait(lambda: a.console(path)["case"]["state"] == state, 5, f"{body} does not make it {state}")
        return a.console(path)["case"]

    check(case["sla"] == "usual" and case["last_word"] == "desk" and case["allowed"] == ["reply"], f"the case: {case}")
    check(change("in_progress", verb="start")["owner"] == "Ada", "who works on a case does not own it")
    check(not change("waiting", verb="wait").get("resolve_due_ms"), "the clock runs while the customer is waited for")
    check(change("in_progress", verb="start")["resolve_due_ms"], "the clock does not go on")
    handed = change("in_progress", verb="hand_over", to="Bruno")
    t.wait(lambda: a.console(path)["case"]["owner"] == "Bruno", 5, f"not handed over: {handed}")
    check([h["to"] for h in a.console(path)["case"]["handovers"]] == ["Ada", "Bruno"], "hand-overs are not recorded")
    change("offline", verb="offline")
    answer = a.console_post(path + "/close", actor="Ada", outcome="put right")
    check(answer.status == 202, f"closing: {answer.status}")
    t.wait(lambda: a.console(path)["case"]["state"] in ("solved", "closed"), 5, "it is not closed")
    if a.console(path)["case"].get("closing_note_due"):
        change("closed", verb="note", words="All is well again, thank you for telling us.")
    check(change("reopened", verb="reopen")["reopened"] == 1, "it is not counted as reopened")
    a.wait_settled(10)


def main(t):
    path = t.folder / "playbook.yaml"
    path.write_text(GOOD.replace("VERSION", "1"), encoding="utf-8")
    channels = [{"name": "hook", "brand": "acme", "network": "x", "adapter": "webhook", "catch_all": True,
                 "secret_file": "secret-hook"}]
    a = t.install("playbook", channels, brands=[{"name": "acme", "language": "en", "playbook": str(path)}],
                  destinations=[("acme", "desk-hook"), ("acme", "boss-hook")])
    a.start_ready()
    a.command("check")
    check(versions(send(t, a, 10, 0)) == {"acme, version 1": 10}, "records do not name version 1")
    for mistake in MISTAKES:
        refuse(t, a, path, mistake)
    t.say(f"{len(MISTAKES)} kinds of mistakes refused")
    a.process["escalation"].send_signal(signal.SIGHUP)
    t.wait(lambda: "write version: 2" in a.log_of("escalation"), 5, "SIGHUP with a bad playbook says nothing")
    check(versions(send(t, a, 10, 10)) == {"acme, version 1": 20}, "the old version should have gone on")
    path.write_text(GOOD.replace("VERSION", "2"), encoding="utf-8")
    answer = http_call(a.http["escalation"], "/-/reload", "POST", b"")
    check(answer.status == 200, f"a good playbook was refused: {answer.error()}")
    check(versions(send(t, a, 10, 20)) == {"acme, version 1": 20, "acme, version 2": 10}, "version 2 does not decide")
    a_case_goes_its_way(t, a)
    check(a.status()["ok"], f"ascolto status: {a.status()['wrong']}")
    a.check_alerts()


system_test(main)
