"""What can be proved afterwards: the log of decisions is whole, tells what people did, and its end is known elsewhere."""
import time

from harness import STORM, check, http_call, lines_of, system_test

LINES = len(lines_of(STORM / "storm.jsonl"))


def install(t):
    return t.install("brezza", [{"name": "storm", "brand": "brezza", "network": "x", "adapter": "jsonl", "catch_all": True,
                                 "settings": [f"file={STORM / 'storm.jsonl'}", "pace=0"]}])


def entries(a, *words):
    return a.command_json("audit", "show", *words)["entries"]


def verdict(a, *words, expect=0):
    return a.command_json("audit", "verify", *words, expect=expect)["brands"][0]


def check_log(t, a, incident):
    log = entries(a)
    what = [e["what"] for e in log]
    check(what[0] == "playbook_loaded" and what.count("playbook_loaded") == 1, f"the playbook in force is not named first: {what[:3]}")
    check(what.count("case_opened") == a.counter("escalation", "cases_opened"), "not every case that was opened is in the log")
    check(what.count("alarm_ordered") == a.counter("escalation", "orders"), "not every alarm is in the log")
    check([e["number"] for e in log] == list(range(1, len(log) + 1)), "the log has gaps")
    check(all(e["playbook"] for e in log), "an entry does not name the playbook")
    words = " ".join(p["text"] for p in lines_of(STORM / "storm.jsonl"))
    for e in log:
        # An incident's name is made of people's words; the log says what was decided, not what they wrote.
        check(not e.get("detail") or e["detail"] not in words, f"words of a customer are in the log: {e}")
    of = [e["what"] for e in entries(a, "--incident", incident["id"])]
    check("incident_opened" in of or "incident_raised" in of, f"the incident's beginning is not in its log: {of}")
    check("alarm_ordered" in of and "alarm_sent" in of, f"its alarms are not in its log: {of}")
    t.say(f"{len(log)} entries for {LINES} messages: " + ", ".join(f"{w} {what.count(w)}" for w in sorted(set(what))))


def check_people(t, a, incident):
    row = next(r for r in a.messages() if "case_id" in r)
    case = row["case_id"]
    a.console_post(f"incidents/{incident['id']}/acknowledge", actor="Anna Riva")
    a.console_post(f"cases/{case}/acknowledge", actor="Bruno")
    a.console_post(f"cases/{case}/close", actor="Carla", outcome="refunded")
    a.console_post(f"messages/{row['id']}/correct", actor="Carla", task="intent", label="complain")
    t.wait(lambda: [e["what"] for e in entries(a, "--case", case)][-1] == "corrected", 10, "the correction is not in the log")
    log = [(e["what"], e["who"], e["by"]) for e in entries(a, "--case", case)]
    check(log[0][0] == "case_opened" and log[0][2] == "rule", f"the case was not opened by a rule: {log}")
    check(log[-5:] == [("case_handed_over", "Bruno", "person"), ("case_acknowledged", "Bruno", "person"),
                       ("case_handed_over", "Carla", "person"), ("case_closed", "Carla", "person"),
                       ("corrected", "Carla", "person")], f"what people did to the case is not told: {log}")
    t.wait(lambda: "incident_acknowledged" in [e["what"] for e in entries(a, "--incident", incident["id"])], 10,
           "who acknowledged the incident is not in the log")


def check_score(t, a):
    """The storm was written in March, what people did is of today: both are counted, each in its own day."""
    rows = {(r["of"], r["name"]): r for r in a.command_json("score", "--days", "400")["rows"]}
    everything, carla = rows["all", ""], rows["owner", "Carla"]
    channels = [r for (of, _), r in rows.items() if of == "channel"]
    check(everything["messages"] == sum(r["messages"] for r in channels) > 400, f"messages: {everything}")
    check(everything["cases"] == a.counter("escalation", "cases_opened"), f"cases: {everything}")
    check(carla["closed"] == 1 and rows["owner", "Bruno"]["acknowledged"] == 1 and everything["in_time"] == 1, f"what people did: {rows}")
    check(everything["verdict"] in ("few", "right", "too many"), f"the verdict: {everything}")
    t.say("\n" + a.command("score", "--days", "400").stdout)


def check_heads(t, a):
    """Every alarm carries the head as it was; the console has seen it too."""
    began = time.monotonic()
    t.wait(lambda: verdict(a)["seen_elsewhere_up_to"] == verdict(a)["entries"], 30, "the console has not seen the log's end")
    t.say(f"the console knew the end of the log {time.monotonic() - began:.1f} s later")
    now = verdict(a)
    check(now["whole"] and now["entries"] > 0, f"the log is not whole: {now}")
    heads = [d["order"]["text"].strip().split()[-1] for d in a.hooks.list()]
    check(heads and all(":" in h for h in heads), f"alarms do not carry the log's head: {heads}")
    for head in heads:
        check(verdict(a, "--brand", "brezza", "--head", head)["whole"], f"{head} of an alarm is not in the log")
    number, digest = heads[-1].split(":")
    wrong = verdict(a, "--brand", "brezza", "--head", f"{number}:{'0' * len(digest)}", expect=1)
    check(wrong["broken"] == int(number) and "rewritten" in wrong["fault"], f"a wrong head was accepted: {wrong}")
    beyond = verdict(a, "--brand", "brezza", "--head", f"{now['entries'] + 7}:{digest}", expect=1)
    check(beyond["broken"] == now["entries"] + 1 and "cut off" in beyond["fault"], f"a cut log was accepted: {beyond}")
    began = time.monotonic()
    a.command("audit", "verify")
    t.say(f"ascolto audit verify reads {now['entries']} entries in {time.monotonic() - began:.2f} s")


LESSONS = """Il firmware va provato su cento modem prima di andare a tutti.
- Il messaggio d'attesa era pronto dopo 40 minuti: va scritto prima
- <script>alert(1)</script> [clicca](javascript:alert(1)) non deve fare nulla"""


def check_report(t, a, incident):
    for lang, words in (("it", ("Rapporto di chiusura", "prima", "Cronologia delle decisioni", "Presa in carico", "persone diverse",
                                "Anna Riva", "Che cosa abbiamo imparato", "cento modem", "crisis-mail")),
                        ("en", ("Closing report", "before", "Timeline of decisions", "Acknowledged", "different people",
                                "Anna Riva", "What we learnt", "cento modem", "delivered"))):
        for format in ("html", "markdown"):
            file = a.folder / f"report.{lang}.{format}"
            a.command("report", incident["id"], f"--{format}", "--lang", lang, "--out", file)
            text = file.read_text(encoding="utf-8")
            missing = [w for w in words if w.lower() not in text.lower()]
            check(not missing, f"the report ({lang}, {format}) does not say {missing}")
            check(("<script" if format == "html" else "](javascript") not in text, f"a person's notes became markup: {lang}, {format}")
            served = http_call(a.listen["console"], f"/api/v1/incidents/{incident['id']}/report?format={format}&lang={lang}")
            check(served.status == 200 and len(served.body) > 2000, f"the console does not give the report: {served.status}")
    t.say(f"the report: {(a.folder / 'report.it.html').stat().st_size} bytes of HTML, "
          f"{(a.folder / 'report.it.markdown').stat().st_size} of Markdown")
    whole = a.command_json("report", incident["id"], "--lang", "en")
    check(whole["format"] == "markdown" and "Closing report" in whole["document"], "the report as JSON")
    lessons = a.command("lessons").stdout
    check("cento modem" in lessons and lessons.startswith("\n# Raccolta degli errori"), f"the lessons are not collected: {lessons}")
    check(a.command("report", "01J8ZQ5T7W000000000000000A", expect=1).stderr.count("there is no incident"), "an unknown incident")
    check(http_call(a.listen["console"], f"/api/v1/incidents/{incident['id']}/report?lang=fr").status == 400, "lang=fr")


def check_people_close(t, a, incident):
    answer = a.console_post(f"incidents/{incident['id']}/close", actor="Anna Riva", reason="firmware ritirato", lessons=LESSONS)
    check(answer.status == 202, f"closing is refused: {answer.error()}")
    t.wait(lambda: "incident_closed" in [e["what"] for e in entries(a, "--incident", incident["id"])], 10,
           "who closed the incident is not in the log")


def check_restart(t, a):
    before = verdict(a)["entries"]
    a.stop("escalation")
    a.start_ready("escalation")
    check(verdict(a)["entries"] == before, "a restart with the same playbook wrote to the log")
    a.stop("console")
    a.command("audit", "verify", expect=1)  # nobody vouches for the end
    a.start_ready("console")
    a.command("audit", "verify")


def main(t):
    a = install(t)
    a.start_ready("enrichment", "intent", "escalation", "notification", "console")
    a.start_ready("ingest")
    a.wait_accepted(LINES, 60)
    a.wait_settled(60)
    incident = next(i for i in a.incidents() if i["code"] == "red")
    check_log(t, a, incident)
    check_people(t, a, incident)
    check_score(t, a)
    check_people_close(t, a, incident)
    check_report(t, a, incident)
    check_heads(t, a)
    check_restart(t, a)


system_test(main)
