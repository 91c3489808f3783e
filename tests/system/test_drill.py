"""A drill beside real life: everything of it is marked, stays apart, and stays in the house; what is real is seen as real.

The storm of deploy/drills/modems is played to Brezza's own playbook as an exercise, while the real storm comes in too."""
import json
import signal
import subprocess
import time

from harness import ROOT, STORM, check, http_call, lines_of, spawn, system_test

DRILLS = ROOT / "deploy" / "drills"
WORDS = "DRILL – ESERCITAZIONE"


def run_drill(t, a, *words, background=False):
    argv = [t.options.bin / "ascolto", "-c", a.config, "-o", "json", "drill", "run", *map(str, words)]
    if background:
        return spawn(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return a.command_json("drill", "run", *words)


def settled(a):
    return a.idle() and not any(d["result"] in ("planned", "attempting", "retry") for d in a.deliveries())


def counters(a):
    """All but the audit log of the real brand, which begins by itself."""
    services = ("ingest", "enrichment", "intent", "escalation", "notification", "console")
    return {s: {k: n for k, n in a.service_status(s)["counters"].items() if k not in ("audit_entries", "views")} for s in services}


def alone(t, a):
    """The drill when nothing else happens: what people get, and that nothing is counted."""
    before = counters(a)
    report = run_drill(t, a, DRILLS / "modems", "--name", "first", "--as", "Ada", "--pace", 0, "--wait", 0)
    t.wait(lambda: settled(a), 20, "the drill's alerts do not arrive")
    check(counters(a) == before, f"a drill is counted: {counters(a)} instead of {before}")
    check(report["sent"] == report["posts"] == len(lines_of(DRILLS / "modems" / "posts.jsonl")), f"{report}")
    points = {(p["about"], p["what"]): p for p in report["points"]}
    for key in (("modems", "yellow"), ("", "read"), ("", "at_once")):
        check(key in points and points[key]["right"], f"{key} should be right: {points.get(key)}")
    red = points["modems", "red"]["words"]  # how soon is detection's affair; the score says it
    check(red.startswith("red ") and "wrote of it" in red, f"red should be found and timed: {red}")
    check(not points["modems", "acknowledged"]["right"], "nobody acknowledged, and the score says somebody did")
    t.say(f"score {report['right']} of {report['of']}: " + "; ".join(p["words"] for p in report["points"]))


def others(t, a):
    """The other two that ship: smaller than this brand's red, with people in danger."""
    for name in ("oil", "bills"):  # how well is said; that it is played, and in whose name, is judged
        report = run_drill(t, a, name, "--as", "Ada", "--name", name, "--pace", 0, "--wait", 0)
        points = {(p["about"], p["what"]): p for p in report["points"]}
        check((name, "yellow") in points and (name, "red") not in points and points["", "read"]["right"], f"{name}: {points}")
        t.say(f"{name}: score {report['right']} of {report['of']}: " + "; ".join(p["words"] for p in report["points"]))
    check(http_call(a.listen["console"], "/api/v1/events?brand=brezza~oil").status == 404, "a drill's changes are pushed")


def check_marks(t, a, brand):
    """Envelope to order: each record says which drill it is of, and no other brand shows it."""
    name = brand.split("~")[1]
    rows = a.messages(brand)
    arm = a.console(f"messages/{rows[0]['id']}?brand={brand}")["arm"]
    incidents = a.incidents(brand)
    cases = a.console(f"cases?state=all&limit=200&brand={brand}")["cases"]
    check(rows and incidents and cases, "the drill shows no messages, incidents or cases")
    check(arm["drill"] == name and all(i["drill"] == name for i in incidents) and all(c["drill"] == name for c in cases),
          "a record, an incident or a case does not say that it is of a drill")
    report = a.command("report", incidents[0]["id"]).stdout
    check(f"# {WORDS}" in report, f"the report does not say that it was a drill: {report[:300]}")
    check(not a.messages("brezza") and not a.incidents("brezza") and not a.case_ids(), "the drill is shown among what is real")
    counts = a.console("counts?brand=brezza")
    check(counts["messages"] == counts["cases"] == counts["open_incidents"] == counts["alerts_sent"] == 0, f"{counts}")


def check_alerts(t, a):
    """Mails come, marked; the webhook, which is no person's device, gets nothing."""
    check(not a.hooks.got, f"a webhook got something of a drill: {a.hooks.got}")
    deliveries = a.deliveries()
    withheld = [d for d in deliveries if d["result"] == "withheld"]
    check(withheld and all(d["order"]["destination"] == "crisis-hook" for d in withheld), f"what is withheld: {withheld}")
    check(all(d["order"].get("drill") for d in deliveries), "an order of a drill is not marked")
    if a.mails:
        mails = a.mails.list()
        check(mails and all(WORDS in m["subject"][:30] and m["body"].startswith(WORDS) for m in mails),
              f"a mail of a drill does not say so first: {[m['subject'] for m in mails]}")
        t.say(f"{len(mails)} mails, each says first that it is a drill; {len(withheld)} orders to a webhook withheld")


def during(t, a, path):
    """The same storm for real, while the drill runs: it makes its own incident, and real alarms."""
    drill = run_drill(t, a, DRILLS / "modems", "--name", "second", "--as", "Ada", "--pace", 600, "--wait", 5, background=True)
    t.wait(lambda: any(d["brand"] == "brezza~second" and d["runs"] for d in a.command_json("drill", "list")["drills"]), 10,
           "the drill is not listed")
    path.write_bytes((STORM / "storm.jsonl").read_bytes())
    n = len(lines_of(path))
    a.wait_accepted(n, 60)
    t.wait(lambda: a.console("counts?brand=brezza")["messages"] == n, 60, "the real storm is not decided")
    t.wait(lambda: a.incidents("brezza~second") and a.incidents("brezza~second")[0]["code"] == "red", 60, "the drill gets no red")
    real = [i for i in a.incidents("brezza") if i["code"] == "red"]
    check(len(real) == 1 and not real[0].get("drill"), f"the real crisis beside the drill: {real}")
    t.wait(lambda: a.hooks.list(code="red", incident_id=real[0]["id"]), 10, "the real crisis is not told")
    answer_the_call(t, a)
    drill.send_signal(signal.SIGINT)
    out, err = drill.communicate(timeout=60)
    check(drill.returncode == 0, f"ascolto drill run ended with {drill.returncode}: {err.decode()}")
    report = json.loads(out)
    points = {(p["about"], p["what"]): p for p in report["points"]}
    check(points["modems", "acknowledged"]["right"] and "Bruno" in points["modems", "acknowledged"]["words"],
          f"who acknowledged in time: {points['modems', 'acknowledged']}")
    steps = [p for p in report["points"] if p["what"] == "step"]
    check([p["right"] for p in steps] == [True] + [False] * (len(steps) - 1), f"one step was done: {steps}")
    t.say(f"beside a real crisis: score {report['right']} of {report['of']}; {points['modems', 'acknowledged']['words']}")
    a.wait_settled(30)
    check(a.status()["ok"], f"ascolto status: {a.status()['wrong']}")
    a.check_balance(n)


def answer_the_call(t, a):
    """Bruno acknowledges the drill's incident and does its first step."""
    incident = a.incidents("brezza~second")[0]
    for verb, body in (("acknowledge", {}), ("step", {"number": 0})):
        answer = a.console_post(f"incidents/{incident['id']}/{verb}?brand=brezza~second", actor="Bruno", **body)
        check(answer.status == 202, f"{verb}: {answer.status} {answer.error()}")
    t.wait(lambda: a.incidents("brezza~second")[0].get("acknowledged_by") == "Bruno" and
           a.incidents("brezza~second")[0]["steps"][0].get("done_ms"), 5, "Bruno's decisions are not shown")


def stopped(t, a):
    """A stopped drill is over for good: what still comes of it does nothing, not after a restart either."""
    drill = run_drill(t, a, DRILLS / "modems", "--name", "third", "--pace", 60, "--wait", 5, background=True)
    t.wait(lambda: a.console("counts?brand=brezza~third")["messages"] > 0, 20, "the third drill does not begin")
    a.kill9("escalation")
    a.start_ready("escalation")
    said = a.command("drill", "stop", "brezza~third").stdout
    check("brezza~third is over" in said, f"ascolto drill stop: {said}")
    shown = a.console("counts?brand=brezza~third")["messages"]
    refused = http_call(a.http["ingest"], "/-/drill?brand=brezza", "POST", b'{"posts":[{}]}')
    check(refused.status == 400, f"posts of a drill without a drill: {refused.status}")
    late = json.dumps({"posts": [{"native_id": "late", "kind": "message", "surface": "public", "text": "still there?"}]})
    answer = http_call(a.http["ingest"], "/-/drill?brand=brezza~third", "POST", late.encode())
    check(answer.status == 200, f"a late post: {answer.status} {answer.error()}")
    t.wait(lambda: settled(a), 20, "something of the stopped drill is still on its way")
    time.sleep(0.5)
    check(a.console("counts?brand=brezza~third")["messages"] - shown <= 100, "the drill goes on after its end")
    drill.send_signal(signal.SIGINT)
    drill.communicate(timeout=90)
    nothing = a.command("drill", "stop", expect=1).stderr
    check("no drill runs" in nothing, f"ascolto drill stop twice: {nothing}")
    again = a.command("drill", "run", DRILLS / "modems", "--name", "third", "--pace", 0, expect=1).stderr
    check("already" in again, f"the same name again: {again}")
    t.say(a.command("drill", "list").stdout)


def main(t):
    path = t.folder / "posts.jsonl"
    path.touch()
    a = t.install("brezza", [{"name": "storm", "brand": "brezza", "network": "x", "adapter": "jsonl", "catch_all": True,
                              "settings": [f"file={path}", "follow=yes"]}])
    (a.folder / "drills").symlink_to(DRILLS)  # where a name is looked for
    a.start_ready()
    alone(t, a)
    check_marks(t, a, "brezza~first")
    check_alerts(t, a)
    others(t, a)
    during(t, a, path)
    stopped(t, a)


system_test(main)
