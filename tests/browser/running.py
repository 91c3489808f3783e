"""The page in front of the whole system: two people act on one incident at the same time, and who came too late is told so, in
a drill as well as in earnest; the texts of an answer to many are edited, approved by somebody else, and reach the customers; cases,
lanes and crisis mode are changed by hand. Needs Chromium; the installation is that of the system tests (tests/system/harness.py)."""
import json
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
import cdp  # noqa: E402
from harness import ROOT, STORM, check, lines_of, spawn, system_test  # noqa: E402

LINES = len(lines_of(STORM / "storm.jsonl"))
REFUSED = "document.getElementById('refused')"
ACKNOWLEDGE = "document.querySelector('[data-acknowledge]')"
CLOSE = "document.querySelector('[data-close-incident]')"


class Person:
    """Somebody with a browser of their own."""

    def __init__(self, chromium, url, name, language, shows=f"{ACKNOWLEDGE} && {CLOSE}"):
        self.browser = cdp.Browser(chromium, language)
        self.page = cdp.Page(self.browser, language, 1280, 900)
        self.page.open(url)
        self.page.wait(shows, 20)
        self.page.run(f"document.querySelector('[data-language={language}]').click()")
        self.page.run(f"(() => {{ const a = document.getElementById('actor'); a.value = '{name}'; a.dispatchEvent(new Event('change')); }})()")

    def close(self):
        check(not self.page.complaints(), f"the browser complained: {self.page.complaints()}")
        self.browser.close()


def write_into(page, box, text):
    page.run(f"(() => {{ const b = {box}; b.value = {json.dumps(text)}; b.dispatchEvent(new Event('input')); }})()")


def close_incident(page, reason):
    page.run(f"{CLOSE}.click()")
    page.run(f"document.getElementById('asking-reason').value = '{reason}'")
    page.run("document.getElementById('asking-ok').click()")


def press(page, key):
    """In what is open, the button of a decision; what it asks is answered by answer()."""
    button = f"document.querySelector('#record [data-decision=\"{key}\"], #crisis [data-decision=\"{key}\"]')"
    page.wait(button, 20)
    page.run(f"{button}.click()")


def answer(page, name, words):
    page.wait("document.getElementById('asking').open")
    write_into(page, f"document.getElementById('asking-{name}')", words)
    page.run("document.getElementById('asking-ok').click()")


def offers(page, *decisions):
    page.wait("[...document.querySelectorAll('#record .case-decisions button')].map((b) => b.dataset.decision.split(' ')[1]).join(' ')"
              f" === '{' '.join(decisions)}'", 20)


def case_by_hand(t, a, page, shots):
    """From hand to hand, into private, and closed only by what is said in public."""
    row = next(m for m in a.messages() if "case_id" in m and m["surface"] == "public" and m.get("lane") == "service"
               and not a.console(f"cases/{m['case_id']}")["case"].get("acknowledged_ms")
               and page.run(f"Boolean(document.querySelector('[data-open-case=\"{m['case_id']}\"]'))"))
    case = row["case_id"]
    now = lambda: a.console(f"cases/{case}")["case"]  # noqa: E731

    def becomes(otherwise, **want):
        t.wait(lambda: all(now().get(k) == v for k, v in want.items()), 20, lambda: f"{otherwise}: {now()}")

    page.run(f"document.querySelector('[data-open-case=\"{case}\"]').click()")
    press(page, f"{case} acknowledge")
    becomes("nobody took it", state="acknowledged", owner="Anna Riva")
    press(page, f"{case} hand_over")
    answer(page, "to", "Ugo Valli")
    becomes("it was not handed over", owner="Ugo Valli")
    page.wait("document.getElementById('record').innerText.includes('responsabile: Ugo Valli')", 20)
    press(page, f"{case} wait")
    becomes("it does not wait", state="waiting")
    press(page, f"{case} offline")
    becomes("it is not in private", state="offline")
    offers(page, "start", "wait", "hand_over", "close", "merge")
    press(page, f"{case} close")
    answer(page, "outcome", "Rimborsato")
    becomes("the public place knows nothing, and it is closed", state="solved", closing_note_due=True)
    page.wait("document.getElementById('record').innerText.includes('da dire in pubblico')", 20)
    page.shot(shots)
    offers(page, "note", "waive_note", "reopen", "hand_over", "merge")
    press(page, f"{case} note")
    answer(page, "words", "Risolto in privato con il cliente")
    becomes("it is not closed", state="closed", closing_note="Risolto in privato con il cliente", closed_reason="Rimborsato")
    offers(page, "reopen")
    press(page, f"{case} reopen")
    becomes("it is not open again", state="reopened")
    two_and_one(t, a, page, case)


def two_and_one(t, a, page, case):
    """Another case becomes part of one; a conversation of it becomes a case of its own."""
    now = lambda of=case: a.console(f"cases/{of}")["case"]  # noqa: E731
    own = now()["conversations"]
    press(page, f"{case} merge")
    page.wait("document.getElementById('asking').open")
    check(page.run("document.activeElement.value") == "", "a case is chosen before anybody chose it")
    other = page.run("document.getElementById('asking-other').options[1].value")
    answer(page, "other", other)
    t.wait(lambda: now(other)["state"] == "closed" and now(other)["merged_into"] == case, 20, lambda: f"it is not merged: {now(other)}")
    check(set(now()["conversations"]) == {*own, *now(other)["conversations"]}, f"its conversations are {now()['conversations']}")
    before = a.console("counts")["cases"]
    press(page, f"{case} split")
    answer(page, "conversation", own[0])
    t.wait(lambda: own[0] not in now()["conversations"], 20, lambda: f"it is not split: {now()}")
    t.wait(lambda: a.console("counts")["cases"] == before + 1, 20, "no case for it")


def lane_by_hand(t, a, page):
    """A message without a case gets one when it is moved to service, and intent hears of it."""
    row = next(m for m in a.messages() if "case_id" not in m and m.get("lane") != "service"
               and page.run(f"Boolean(document.querySelector('[data-message=\"{m['id']}\"]'))"))
    learnt = a.counter("intent", "corrections")
    page.run(f"document.querySelector('[data-message=\"{row['id']}\"]').click()")
    press(page, f"{row['id']} service")
    t.wait(lambda: a.console(f"messages/{row['id']}")["arm"].get("case_id"), 20, "the message got no case")
    t.wait(lambda: a.counter("intent", "corrections") == learnt + 1, 20, "intent does not learn of it")
    case = a.console(f"messages/{row['id']}")["arm"]["case_id"]
    page.wait(f"!document.querySelector('#record [data-decision=\"{row['id']} service\"]')", 20)  # it is there
    press(page, f"{row['id']} polemic")
    t.wait(lambda: a.console(f"cases/{case}")["case"]["state"] == "closed", 20, "the case of what is polemic stays open")


def crisis_by_hand(t, a, page):
    crisis = lambda: a.console("counts")["crisis"]  # noqa: E731
    t.wait(lambda: not crisis(), 20, "crisis mode did not end with its incident")
    press(page, "crisis begin")
    answer(page, "reason", "telefonate da tutta la provincia")
    t.wait(lambda: crisis() and crisis()["by_person"], 20, "it does not begin")
    check((crisis()["by"], crisis()["because"]) == ("Anna Riva", "telefonate da tutta la provincia"), f"{crisis()}")
    page.wait("document.getElementById('crisis').innerText.includes('MODALITÀ DI CRISI')", 20)
    press(page, "crisis end")
    answer(page, "reason", "la linea è tornata")
    t.wait(lambda: not crisis(), 20, "it does not end")
    page.wait("document.querySelector('#crisis [data-decision=\"crisis begin\"]')", 20)


def by_hand(t, a, chromium, shots):
    anna = Person(chromium, f"http://{a.listen['console']}/", "Anna Riva", "it", "document.querySelector('#case-list .case')")
    case_by_hand(t, a, anna.page, shots)
    lane_by_hand(t, a, anna.page)
    crisis_by_hand(t, a, anna.page)
    check(anna.page.run(f"{REFUSED}.hidden"), "something was refused")
    anna.close()


def unread(a):
    """Commands that wait for escalation."""
    return sum(link["unacknowledged"] for link in a.service_status("console")["links"])


def too_late(t, a, chromium, query, shots):
    """Escalation stands still for a moment, as on a busy machine: both decisions are possible as things are shown, and are
    accepted. When it goes on, the first is carried out and the second is not."""
    url = f"http://{a.listen['console']}/{query}"
    ugo, anna = Person(chromium, url, "Ugo Valli", "en"), Person(chromium, url, "Anna Riva", "it")
    a.process["escalation"].send_signal(signal.SIGSTOP)
    try:
        close_incident(ugo.page, "a modem was unplugged")
        t.wait(lambda: unread(a) == 1, 5, "his decision is not accepted")
        anna.page.run(f"{ACKNOWLEDGE}.click()")
        t.wait(lambda: unread(a) == 2, 5, "hers is not accepted")
        check(anna.page.run(f"{REFUSED}.hidden"), "she is told before it is known")
    finally:
        a.process["escalation"].send_signal(signal.SIGCONT)
    anna.page.wait(f"!{REFUSED}.hidden", 20)
    said = anna.page.run(f"{REFUSED}.innerText")
    check("Non è stato più possibile: presa in carico dell'incidente (" in said and "the incident is closed" in said, f"she is told: {said}")
    anna.page.wait("document.querySelector('#incidents').hidden", 20)
    time.sleep(4)  # what was told stays, and is not told twice: the lists were read again meanwhile
    check(anna.page.run(f"{REFUSED}.querySelectorAll('li').length") == 1, "it is told twice, or went before she saw it")
    if shots:
        anna.page.shot(shots)
    anna.page.run("document.querySelector('[data-language=en]').click()")
    check("It was too late for this: acknowledging the incident (" in anna.page.run(f"{REFUSED}.innerText"), "it stays in Italian")
    anna.page.run(f"{REFUSED}.querySelector('button').click()")
    check(anna.page.run(f"{REFUSED}.hidden"), "what was seen stays")
    check(ugo.page.run(f"{REFUSED}.hidden"), "who was faster is told, too")
    for p in (ugo, anna):
        p.close()


def most_urgent(t, a, chromium):
    """More open cases than fit into one answer of the API: the page shows first what is due first of all of them."""
    cases, before = [], ""
    while before is not None:
        page = a.console(f"cases?limit=200{before}")
        cases += page["cases"]
        before = f"&before={page['next']}" if "next" in page else None
    check(len(cases) == len({c["id"] for c in cases}) == a.console("counts")["open_cases"] > 200, f"{len(cases)} open cases")
    due = {c["id"]: (0 if c["acknowledged_ms"] else c["acknowledge_due_ms"]) or c["resolve_due_ms"] for c in cases}
    anna = Person(chromium, f"http://{a.listen['console']}/", "Anna Riva", "it")
    shown = anna.page.run("[...document.querySelectorAll('#case-list .case')].map((c) => c.dataset.case)")
    check([due[c] for c in shown] == sorted(due.values())[:100], "the page does not show the most urgent cases")
    check(f"i 100 più urgenti di {len(cases)}" in anna.page.run("document.getElementById('cases-note').textContent"), "how many there are")
    anna.close()


def own_words(t, a, chromium, shots):
    """Anna edits one of the playbook's texts and leaves English out; Ugo reads all of them before he approves."""
    url = f"http://{a.listen['console']}/"
    anna, ugo = Person(chromium, url, "Anna Riva", "it"), Person(chromium, url, "Ugo Valli", "en")
    check(anna.page.run("document.querySelector('[data-wordings]').checkVisibility()"), "how to answer many is hidden before there is an answer")
    area, ok = "document.querySelectorAll('#wordings textarea')", "document.getElementById('wordings-ok')"
    anna.page.run("document.querySelector('[data-wordings]').click()")
    anna.page.wait(f"{area}.length === 6 && !{ok}.disabled", 20)
    waits = [c for c in (a.console(f"cases/{i}")["case"] for i in sorted(a.case_ids()))
             if c.get("incident_id") and c["state"] not in ("solved", "closed") and c["language"] == "it"]
    check(f"italiano {len(waits)}," in anna.page.run("document.getElementById('wordings-for').textContent"), "who waits for it is not shown")
    mine = "La linea è caduta a molti in Emilia. Spenga il modem per un minuto: a quasi tutti basta. Brezza"
    write_into(anna.page, f"{area}[0]", "Mi scriva a anna@posta.example e La richiamo. Brezza")
    anna.page.wait("document.querySelector('#wordings li .findings .blocks')")
    anna.page.shot(shots)
    write_into(anna.page, f"{area}[0]", mine)
    for n in (3, 4, 5):
        write_into(anna.page, f"{area}[{n}]", "")
    anna.page.wait(f"!{ok}.disabled")
    anna.page.run(f"{ok}.click()")
    ugo.page.wait("document.querySelectorAll('.answers .texts li').length === 3", 20)
    ugo.page.run("document.querySelector('.answers .texts').open = true")
    check("Spenga il modem" in ugo.page.run("document.querySelector('.answers .texts').innerText"), "who approves can not read it")
    ugo.page.run("document.querySelector('[data-decision$=\" approve\"]').click()")
    t.wait(lambda: any(d["order"]["text"] == mine for d in a.hooks.list(template="answer")), 20, "her words reach nobody")
    a.wait_settled(30)
    said = {d["order"]["text"] for d in a.hooks.list(template="answer")}
    check(len(said) == 3 and not any(" the " in x for x in said), f"what reached the customers: {said}")
    for p in (ugo, anna):
        p.close()


def in_earnest(t, a, chromium, shots):
    a.wait_accepted(LINES, 60)
    a.wait_settled(60)
    most_urgent(t, a, chromium)
    own_words(t, a, chromium, shots.with_name("own-words.png"))
    too_late(t, a, chromium, "", shots)
    refusals = a.console("refusals")["refusals"]
    check(len(refusals) == 1 and refusals[0]["command"] == "acknowledge_incident" and refusals[0]["actor"] == "Anna Riva", f"{refusals}")
    by_hand(t, a, chromium, shots.with_name("by-hand.png"))


def in_a_drill(t, a, chromium):
    drill = spawn([t.options.bin / "ascolto", "-c", a.config, "drill", "run", ROOT / "deploy" / "drills" / "modems", "--name", "try",
                   "--as", "Ada", "--pace", 0, "--wait", 5], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    brand = "brezza~try"
    t.wait(lambda: [i for i in a.incidents(brand) if i["code"] == "red"], 60, "the drill has no red incident")
    a.wait_settled(30)
    too_late(t, a, chromium, f"?brand={brand}", None)
    refusals = a.console(f"refusals?brand={brand}")["refusals"]
    check(len(refusals) == 1 and refusals[0]["drill"] == "try", f"the drill's refusals: {refusals}")
    check(len(a.console("refusals")["refusals"]) == 1, "what is refused in a drill is shown as real")
    drill.send_signal(signal.SIGINT)
    drill.wait(60)


def main(t):
    chromium = cdp.find_chromium()
    if not chromium:
        print("skipped: chromium is not installed, so the page was not looked at; apt-get install chromium")
        return
    shots = t.options.bin.parent / "tests" / "shots"
    shots.mkdir(parents=True, exist_ok=True)
    a = t.install("brezza", [{"name": "storm", "brand": "brezza", "network": "x", "adapter": "jsonl", "catch_all": True,
                              "settings": [f"file={STORM / 'storm.jsonl'}", "pace=0"]}])
    a.start_ready()
    in_earnest(t, a, chromium, shots / "refused.png")
    in_a_drill(t, a, chromium)


system_test(main)
