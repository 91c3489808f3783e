#!/usr/bin/env python3
"""The console's page in a real browser: what people see, the keyboard, live changes, and that strangers' text stays text."""
import argparse
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cdp  # noqa: E402


class Escalation(http.server.BaseHTTPRequestHandler):
    """What escalation says to a draft: a telephone stops it, an exclamation mark is to be looked at. To many it has the playbook's
    texts."""

    HOLDING = [{"language": "it", "channel": "", "texts": ["Stiamo guardando. Brezza", "<b>Eccoci</b>", "Ci siamo. Brezza"]},
               {"language": "en", "channel": "", "texts": ["We are on it. Brezza", "We have seen it. Brezza"]}]
    asked = []  # bodies about an answer to many

    @staticmethod
    def findings(text, wordings=0, n=0):
        found = [{"rule": "private_data", "blocks": True, "it": "In pubblico non si scrive un numero di telefono",
                  "en": "In public nobody writes a telephone number"}] if re.search(r"\d{7}", text) else []
        found += [{"rule": "exclamations", "it": "Un punto esclamativo basta", "en": "One is enough"}] if "!!" in text else []
        return [f | {"wordings": wordings, "text": n} for f in found]

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        many = "incident=" in self.path
        lists = asked.get("wordings", self.HOLDING) if many else [{"texts": [asked.get("text") or ""]}]
        found = [f for n, w in enumerate(lists) for k, text in enumerate(w["texts"]) for f in self.findings(text, n, k)]
        answer = {"findings": found, "approvals_needed": 1, "approvers": ["area_manager"]}
        if many:
            self.asked.append(asked)
            answer |= {"wordings": self.HOLDING} if "wordings" not in asked else {}
        body = json.dumps({"blocks": any(f.get("blocks") for f in found), "suggested": ["Ci stiamo lavorando. Brezza", "<b>Eccoci</b>"],
                           "answer": answer}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


class Stage:
    """The console with made-up data: tests/browser/stage.c."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url, port = self.process.stdout.readline().split()
        assert self.url.startswith("http://"), "the stage did not start"
        self.escalation = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Escalation)
        threading.Thread(target=self.escalation.serve_forever, daemon=True).start()

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        assert answer == "ok", f"{line}: {answer}"

    def close(self):
        self.escalation.shutdown()
        self.process.stdin.close()
        self.process.wait(20)


TEXT = "document.body.innerText"
ROWS = "document.querySelectorAll('#messages .message').length"

# Every text against what lies behind it; returns the pairs below 4.5 (3 for large text).
CONTRAST = r"""(() => {
  const rgb = (c) => { const m = c.match(/[\d.]+/g).map(Number); return { c: m.slice(0, 3), a: m.length > 3 ? m[3] : 1 }; };
  const lum = (c) => c.map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; })
    .reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => { for (; e; e = e.parentElement) { const b = rgb(getComputedStyle(e).backgroundColor);
    if (b.a > 0.99) return b.c; } return [255, 255, 255]; };
  const bad = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !e.checkVisibility() || e.closest('script, noscript, .unseen, .skip, :disabled')) continue;
    const s = getComputedStyle(e), a = lum(rgb(s.color).c), b = lum(ground(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const large = parseFloat(s.fontSize) >= 24 || (parseFloat(s.fontSize) >= 18.66 && +s.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) bad.push(`${e.className || e.tagName} ${ratio.toFixed(2)}: ${walk.currentNode.data.trim().slice(0, 30)}`);
  }
  return bad.join('\n');
})()"""

OVERFLOW = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"

# Elements and attributes that only markup from outside could have brought.
FOREIGN = r"""(() => {
  const ours = new Set(['/page.js']);
  const bad = [];
  for (const e of document.querySelectorAll('*')) {
    if (['IFRAME', 'OBJECT', 'EMBED', 'BASE', 'FORM', 'IMG', 'SVG', 'VIDEO', 'STYLE'].includes(e.tagName.toUpperCase()))
      bad.push(e.tagName);
    if (e.tagName === 'SCRIPT' && !ours.has(e.getAttribute('src'))) bad.push('script');
    for (const a of e.attributes)
      if (a.name.startsWith('on') || a.name === 'style' || /^\s*javascript:/i.test(a.value)) bad.push(`${e.tagName} ${a.name}`);
  }
  if (window.pwned) bad.push('a payload ran');
  if (({}).polluted) bad.push('a prototype was changed');
  return bad.join(', ');
})()"""


def check(ok, words):
    if not ok:
        raise AssertionError(words)


def shows(page, *words):
    until = time.monotonic() + 10
    while True:
        text = page.run(TEXT)
        missing = [w for w in words if w not in text]
        if not missing:
            return
        check(time.monotonic() < until, f"the page does not show {missing}:\n{text}")
        time.sleep(0.05)


def test_italian(stage, page):
    page.open(stage.url)
    page.wait(f"{ROWS} === 11")
    page.wait("document.querySelector('#live').textContent === 'in diretta'")
    page.wait("document.querySelector('.incident')")
    check(page.run("document.documentElement.lang") == "it", "the page is not in Italian")
    shows(page, "Brezza", "ROSSO", "Modem fermi dopo l'aggiornamento", "208", "di norma 2,1", "Prendi in carico",
          "Fermare post programmati", "crisis-mail", "consegnato", "si riprova", "non so", "VIP", "Elena Sarti",
          "segnala un guasto → una riparazione", "corsia servizio", "in ritardo di", "community manager",
          "MODALITÀ DI CRISI", "Sostenitori (2)")
    page.run("document.querySelector('#advocates summary').click()")
    shows(page, "Oscar B.", "Rita Amadori", "giorni di elogi: 4")
    page.run("document.querySelector('#advocates summary').click()")
    day = page.run("document.querySelector('.day').textContent")
    check("2026" in day and day.endswith("CET"), f"the real date of the messages, and their zone, are not shown: {day}")
    check(page.run("document.querySelector('#messages time').title").endswith("19:16:00 CET"), "a time does not say its second and zone")
    page.wait("document.title.startsWith('ROSSO')")
    check(page.run("document.querySelector('#messages .person').textContent") == "Marta", "the newest is not first")
    check(page.run("document.querySelector('#case-list strong').textContent") == "Gino B.", "the latest case is not first")


def test_keyboard(page):
    page.key("j", "KeyJ")
    page.key("j", "KeyJ")
    check(page.run("document.activeElement.className") == "cover", "j does not move to a message")
    page.key("k", "KeyK")
    where = "document.activeElement.parentElement.querySelector('.person').textContent"
    check(page.run(where) == "Marta", "k does not move back")
    for _ in range(3):
        page.key("j", "KeyJ")
    who = page.run(where)
    page.key("Enter")
    page.wait("!document.getElementById('record').hidden")
    check(page.run("document.activeElement.id") == "record", "the record does not get the focus")
    check(who in page.run("document.getElementById('record').innerText"), "another record was opened")
    titles = page.run("[...document.querySelectorAll('#record .part h3')].map((h) => h.textContent).join(' ')")
    check(titles == "Cosa Dove Intenzione Cosa sappiamo Regole Azioni", f"not the six parts: {titles}")
    page.key("Escape")
    page.wait("document.getElementById('record').hidden")
    check(page.run(where) == who, "Escape does not give the focus back to the message")


def test_case(page):
    page.run("document.querySelector('[data-open-case]').click()")
    page.wait("!document.getElementById('record').hidden")
    shows(page, "39 euro di attivazione", "Prendi in carico", "Altro")
    page.key("Escape")


def name(page, who):
    page.run(f"(() => {{ const a = document.getElementById('actor'); a.value = '{who}'; a.dispatchEvent(new Event('change')); }})()")


def offered(page, customer):
    """What a card offers: the usual next step, then what is in the menu."""
    return page.run(f"[...[...document.querySelectorAll('#case-list .case')].find((c) => c.querySelector('strong').textContent === '{customer}')"
                    ".querySelectorAll('.case-decisions button')].map((b) => b.textContent)")


def test_case_menu(stage, page, shots):
    """A card offers the usual next step, and in a menu what else its state allows; with the keyboard alone."""
    menu, dialog = "document.querySelector('#case-list .menu')", "document.getElementById('asking')"
    check(offered(page, "Gino B.") == ["Prendi in carico", "Ci lavoro io", "In attesa del cliente", "Passa in privato", "Passa a un altro",
                                       "Chiudi il caso", "Unisci un altro caso"], f"a new case offers {offered(page, 'Gino B.')}")
    check(offered(page, "Panificio Donati") == ["Ci lavoro io", "Passa in privato", "Passa a un altro", "Chiudi il caso", "Unisci un altro caso"],
          f"one that waits offers {offered(page, 'Panificio Donati')}")
    check(offered(page, "Elena Sarti")[0] == "Chiudi il caso", "the usual next step of one in progress")
    page.run(f"{menu}.querySelector('summary').focus()")
    page.key("Enter")
    page.wait(f"{menu}.open")
    check("39 euro" in page.run(f"{menu}.querySelector('summary').getAttribute('aria-label')"), "of what it is the menu is not said")
    test_looks(page, os.path.join(shots, "case-menu.png"), 1280)
    stage.say("storm")  # what arrives meanwhile does not close it
    time.sleep(0.7)
    check(page.run(f"{menu}.open"), "the menu closed while somebody read it")
    page.key("Tab")
    page.key("Tab")
    page.key("Escape")
    check(not page.run(f"{menu}.open") and page.run(f"document.activeElement === {menu}.querySelector('summary')"), "Escape does not close it")
    check(page.run("document.getElementById('record').hidden"), "the card opened")
    page.key("Enter")
    for _ in range(4):
        page.key("Tab")
    check(page.run("document.activeElement.textContent") == "Passa a un altro", "Tab does not lead through the menu")
    page.key("Enter")
    page.wait(f"{dialog}.open && document.activeElement.id === 'asking-to'")
    check(page.run("document.activeElement.labels[0].textContent") == "A chi passa il caso", "the field has no label")
    suggested = page.run("[...document.querySelectorAll('#asking datalist option')].map((o) => o.value)")
    check(suggested == ["strategist"], f"suggested are {suggested}")
    page.key("Enter")
    check(page.run(f"{dialog}.open"), "it is handed over to nobody")
    page.call("Input.insertText", {"text": "Carla Testa"})
    test_looks(page, os.path.join(shots, "hand-over.png"), 1280)
    page.key("Enter")  # without a name nothing is sent, and nothing lost
    page.wait(f"!{dialog}.open && document.activeElement.id === 'actor'")
    name(page, "Anna Riva")
    page.run(f"[...{menu}.querySelectorAll('button')][3].click()")
    page.wait(f"{dialog}.open && document.getElementById('asking-to').value === 'Carla Testa'")
    page.key("Enter")
    page.wait(f"!{dialog}.open && {menu}.querySelector('summary').textContent === 'Inviato…'")
    page.run(f"{menu}.querySelectorAll('button')[1].click()")  # another, at once
    time.sleep(0.5)
    page.wait(f"{menu}.querySelector('summary').textContent === 'Altro'", 8)
    time.sleep(0.8)
    check(page.run(f"{menu}.querySelector('summary').textContent") == "Altro", "the menu does not get its name back")
    # Elsewhere than in it, it closes.
    page.run(f"{menu}.querySelector('summary').click()")
    page.run("document.querySelector('#inbox-title').click()")
    check(not page.run(f"{menu}.open"), "a press elsewhere does not close it")
    name(page, "")


def test_answer(page, shots):
    """A case is answered: texts that are ready, what there is to say to them while somebody types, and what stops them."""
    page.run("document.querySelector('[data-open-case]').click()")
    page.wait("document.querySelector('.answer-form .ready li')")
    shows(page, "Ci stiamo lavorando. Brezza", "<b>Eccoci</b>", "Approvazioni che servono: 1 (area manager)", "fermata dal controllo")
    box, send = "document.querySelector('.answer-form textarea')", "document.querySelector('.answer-form > button')"
    check(page.run(f"{send}.disabled"), "nothing can be sent")
    page.run("document.querySelector('.answer-form .ready button').click()")
    page.wait(f"{box}.value === 'Ci stiamo lavorando. Brezza' && !{send}.disabled")
    write = "(() => {{ {}.value = '{}'; {}.dispatchEvent(new Event('input')); }})()"
    page.run(write.format(box, "La chiamo al 3331234567!!", box))
    page.wait(f"{send}.disabled && document.querySelectorAll('.answer-form .findings li').length === 2")
    shows(page, "In pubblico non si scrive un numero di telefono", "Un punto esclamativo basta")
    test_looks(page, os.path.join(shots, "answer.png"), 1280)
    page.run(write.format(box, "Ci lavoriamo. Anna", box))
    page.wait(f"!{send}.disabled && !document.querySelector('.answer-form .findings')")
    shows(page, "Niente da segnalare.")
    # What arrives meanwhile takes nothing away from who types.
    page.run("document.querySelector('[data-close]').click()")
    page.run("document.querySelector('[data-open-case]').click()")
    page.wait(f"{box}?.value === 'Ci lavoriamo. Anna'")
    page.run("(() => { const a = document.getElementById('actor'); a.value = 'Anna Riva'; a.dispatchEvent(new Event('change')); })()")
    page.run(f"{send}.click()")
    page.wait(f"{box}.value === ''")
    page.run("(() => { const a = document.getElementById('actor'); a.value = ''; a.dispatchEvent(new Event('change')); })()")
    page.key("Escape")


def test_crisis(stage, page, shots):
    """Crisis mode begins and ends by a person's word and reason; what red incidents began goes on with them."""
    offered = "[...document.querySelectorAll('#crisis button')].map((b) => b.textContent).join()"
    button, dialog = "document.querySelector('#crisis button')", "document.getElementById('asking')"
    page.wait(f"{offered} === 'Tieni accesa'")
    stage.say("held 21")
    page.wait("document.querySelectorAll('#held button').length === 2")
    test_looks(page, os.path.join(shots, "held.png"), 1280)
    stage.say("held 0")
    page.wait("document.getElementById('held').hidden")
    page.run(f"{button}.focus()")
    stage.say("crisis Anna Riva")
    page.wait(f"{offered} === 'Termina'")
    check(page.run("document.querySelector('#crisis span').title") == "Modem fermi in tutta la regione (Anna Riva)", "who began it, and why")
    name(page, "Anna Riva")
    page.run(f"{button}.focus()")
    stage.say("people 209")
    page.wait("document.querySelector('.crowd strong').textContent === '209'")
    page.key("Enter")
    page.wait(f"{dialog}.open && document.activeElement.id === 'asking-reason'")
    shows(page, "Se non la tiene accesa un incidente rosso finisce adesso")
    page.key("Enter")
    check(page.run(f"{dialog}.open"), "it ends without a reason")
    page.key("Escape")
    stage.say("no_crisis")
    page.wait(f"{offered} === 'Inizia modalità di crisi'")
    check("MODALITÀ DI CRISI" not in page.run(TEXT), "it is over, and shown")
    page.run(f"{button}.click()")
    page.wait(f"{dialog}.open")
    page.call("Input.insertText", {"text": "troppi modem fermi"})
    test_looks(page, os.path.join(shots, "crisis.png"), 1280)
    page.key("Enter")
    page.wait(f"!{dialog}.open && {button}.textContent === 'Inviato…'")
    stage.say("crisis Anna Riva")
    page.wait(f"{offered} === 'Termina'")
    stage.say("storm")
    page.wait(f"{offered} === 'Tieni accesa'")
    name(page, "")


def test_advocates(stage, page):
    """Who comes on the list, and who goes off it, is seen at once; the list stays open."""
    page.run("document.querySelector('#advocates summary').click()")
    stage.say("advocate Marta")
    page.wait("document.querySelector('#advocates summary').textContent === 'Sostenitori (3)'")
    check("Marta" in page.run("document.querySelector('#advocates li').innerText"), "who was heard last is not first")
    stage.say("no_advocate Marta")
    page.wait("document.querySelector('#advocates summary').textContent === 'Sostenitori (2)'")
    check("Marta" not in page.run("document.querySelector('#advocates ul').innerText"), "who is off the list is shown")
    check(page.run("document.getElementById('advocates').open"), "the list closed while somebody read it")
    page.run("document.querySelector('#advocates summary').click()")


def write_into(page, box, text):
    page.run(f"(() => {{ const b = {box}; b.value = {json.dumps(text)}; b.dispatchEvent(new Event('input')); }})()")


def test_wordings(stage, page, shots):
    """The texts of an answer to many: the playbook's, edited, with what there is to say beside each; sent with the keyboard alone."""
    area, ok = "document.querySelectorAll('#wordings textarea')", "document.getElementById('wordings-ok')"
    beside = "[...document.querySelectorAll('#wordings li .said')].map((s) => s.textContent)"
    page.run("document.querySelector('.answers').open = true")
    page.run("document.querySelector('[data-wordings]').focus()")
    page.key("Enter")
    page.wait(f"document.getElementById('wordings').open && {area}.length === 5 && !{ok}.disabled")
    check(page.run(f"document.activeElement === {area}[0]"), "the first text does not get the focus")
    check(page.run(f"[...{area}].map((a) => a.value)") == [x for w in Escalation.HOLDING for x in w["texts"]], "not the playbook's texts")
    legends = page.run("[...document.querySelectorAll('#wordings legend')].map((l) => l.textContent)")
    check(legends == ["italiano · tutti i canali", "inglese · tutti i canali"], f"the lists are called {legends}")
    shows(page, "Niente da segnalare. Approvazioni che servono: 1 (area manager)", "Manda in approvazione")
    check("wordings" not in Escalation.asked[-1], "untouched texts are not the playbook's any more")
    # What is wrong stands beside the text it is wrong with, and stops all of it.
    write_into(page, f"{area}[1]", "Chiami il 3331234567!!")
    page.wait(f"{ok}.disabled && {beside}[1].includes('Un punto esclamativo')")
    said = page.run(beside)
    check("numero di telefono" in said[1] and not said[0] and not said[2] and not said[3], f"beside the texts: {said}")
    test_looks(page, os.path.join(shots, "wordings.png"), 1280)
    write_into(page, f"{area}[1]", "Una sola!!")
    page.wait(f"!{ok}.disabled && !{beside}[1].includes('telefono')")  # advice stops nothing
    write_into(page, f"{area}[1]", "Stiamo guardando. Brezza")
    page.wait("document.querySelector('#wordings .fault').textContent === 'Due testi sono uguali.'")
    check(page.run(f"{ok}.disabled"), "two equal texts can be sent")
    # One text is too few, and none leaves the language out.
    for n in (4, 3):
        write_into(page, f"{area}[{n}]", "")
    write_into(page, f"{area}[1]", "")
    page.wait("document.querySelectorAll('#wordings .fault')[0].textContent === ''")
    page.run("document.querySelectorAll('#wordings li .head button')[2].click()")
    page.wait("document.querySelectorAll('#wordings .fault')[0].textContent.startsWith('Servono almeno 2')")
    check(page.run("document.activeElement.tagName") == "TEXTAREA", "the focus is lost with the text that was removed")
    write_into(page, f"{area}[1]", "Prima riga\nseconda riga. Brezza")
    page.wait(f"!{ok}.disabled")
    sent = Escalation.asked[-1]["wordings"]
    check(sent == [{"language": "it", "texts": ["Stiamo guardando. Brezza", "Prima riga\nseconda riga. Brezza"]}], f"asked about {sent}")
    # A list for one channel; what is there already gets the focus instead.
    page.run("document.getElementById('wordings-channel').value = 'brezza-x'")
    page.run("document.querySelector('#wordings-add button').click()")
    page.run("document.querySelector('#wordings-add button').click()")
    check(page.run("[...document.querySelectorAll('#wordings legend')].map((l) => l.textContent)")[2:] == ["italiano · brezza-x"], "no list for a channel")
    write_into(page, f"{area}[4]", "Riga " * 300)
    test_looks(page, os.path.join(shots, "wordings-long.png"), 1280)
    write_into(page, f"{area}[4]", "")
    unnamed = page.run("[...document.querySelectorAll('#wordings textarea, #wordings select')].filter((e) => !e.labels.length).length")
    check(not unnamed, f"{unnamed} controls have no label")
    # What was typed survives Escape, and another language of the page.
    page.key("Escape")
    check(not page.run("document.getElementById('wordings').open"), "Escape does not close it")
    page.run("document.querySelector('[data-language=en]').click()")
    page.wait("document.querySelector('[data-wordings]').textContent === 'Write or edit the texts'")
    page.run("document.querySelector('[data-wordings]').click()")
    page.wait(f"document.getElementById('wordings').open && !{ok}.disabled")
    check("seconda riga" in page.run(f"{area}[1].value"), "what was typed is lost")
    check(page.run("document.querySelector('#wordings legend').textContent") == "Italian · all channels", "the page's language is not that of the lists")
    page.run("document.querySelector('[data-language=it]').click()")
    page.run(f"{ok}.click()")  # without a name nothing is sent, and nothing lost
    page.wait("document.activeElement.id === 'actor'")
    page.run("(() => { const a = document.getElementById('actor'); a.value = 'Anna Riva'; a.dispatchEvent(new Event('change')); })()")
    page.run("document.querySelector('[data-wordings]').click()")
    page.wait(f"document.getElementById('wordings').open && !{ok}.disabled")
    check("seconda riga" in page.run(f"{area}[1].value"), "what was typed is lost without a name")
    page.run(f"{ok}.focus()")
    page.key("Enter")
    page.wait("!document.getElementById('wordings').open")
    time.sleep(0.5)
    page.run("document.querySelector('[data-wordings]').click()")
    page.wait(f"document.getElementById('wordings').open && {area}.length === 5")  # sent: the next begins with the playbook's
    page.run("document.getElementById('wordings-no').click()")
    page.run("(() => { const a = document.getElementById('actor'); a.value = ''; a.dispatchEvent(new Event('change')); })()")


def test_in_a_storm(stage, page):
    """What arrives meanwhile takes no button away from who presses it, and no choice from who made it."""
    people = "document.querySelector('.crowd strong').textContent === '{}'"
    page.run("window.kept = ['[data-close-incident]', '.answers summary', '.steps button', '[data-open-case]', '#messages .cover']"
             ".map((s) => document.querySelector(s))")
    page.run("document.querySelector('.answers').open = true")
    page.run("document.querySelector('[data-close-incident]').focus()")
    stage.say("people 231")
    page.wait(people.format(231))
    page.run("document.querySelectorAll('#filters button')[0].click()")  # the rows are read again, and are the same
    time.sleep(0.5)
    check(page.run("window.kept.every((e) => e.isConnected)"), "buttons were built anew")
    check(page.run("document.activeElement === window.kept[0]"), "the focus is lost")
    check(page.run("document.querySelector('.answers').open"), "what was opened is closed")
    page.run("(() => { const a = document.getElementById('actor'); a.value = 'Anna Riva'; a.dispatchEvent(new Event('change')); })()")
    page.run("document.querySelector('[data-decision$=\" holding\"]').click()")
    page.wait("document.querySelector('[data-decision$=\" holding\"]').textContent === 'Inviato…'")
    page.run("document.querySelector('[data-language=en]').click()")  # everything is built anew
    page.wait("document.querySelector('#inbox-title').textContent === 'Messages'")
    time.sleep(0.3)
    check(page.run("document.querySelector('[data-decision$=\" holding\"]').disabled"), "what was sent just now can be sent again")
    page.run("document.querySelector('[data-language=it]').click()")
    page.wait("!document.querySelector('[data-decision$=\" holding\"]').disabled", 8)
    page.run("(() => { const a = document.getElementById('actor'); a.value = ''; a.dispatchEvent(new Event('change')); })()")
    stage.say("people 208")
    page.wait(people.format(208))


def test_open_row_stays_marked(stage, page):
    page.run("document.querySelector('#messages .cover').click()")
    page.wait("document.querySelector('#messages .message').classList.contains('current')")
    stage.say("storm")  # the same once more
    time.sleep(1)
    check(page.run("document.querySelectorAll('#messages .message.current').length") == 1, "the open message is not marked any more")
    page.key("Escape")


def test_filters(page):
    press = "[...document.querySelectorAll('#filters button')][{}].click()"
    page.run(press.format(1))
    page.wait(f"{ROWS} === 8")
    page.run(press.format(2))
    page.wait(f"{ROWS} === 6")
    page.run(press.format(0))
    page.wait(f"{ROWS} === 11")


def test_live(stage, page):
    stage.say("message una voce nuova in diretta")
    page.wait("document.querySelector('#messages .text').textContent === 'una voce nuova in diretta'")
    check(page.run("document.querySelectorAll('#messages .cover[tabindex=\"0\"]').length") == 1, "the list is more than one stop of the Tab key")
    page.run("document.querySelector('[data-acknowledge]').click()")
    page.wait("document.activeElement.id === 'actor'")
    page.run("(() => { const a = document.getElementById('actor'); a.value = 'Anna Riva'; a.dispatchEvent(new Event('change')); })()")
    page.run("document.querySelector('[data-acknowledge]').click()")
    page.wait("document.querySelector('[data-acknowledge]').disabled && "
              "document.querySelector('[data-acknowledge]').textContent === 'Inviato…'")
    stage.say("acknowledged Anna Riva")
    page.wait("document.querySelector('.carer')?.textContent.includes('In carico a Anna Riva')")
    check("preso in carico" in page.run("document.getElementById('announce').textContent"), "it was not announced")
    stage.say("stop")
    page.wait("document.querySelector('#live').textContent === 'riconnessione…'")
    stage.say("start")
    page.wait("document.querySelector('#live').textContent === 'in diretta'", 20)
    stage.say("message dopo il riavvio")
    page.wait("document.querySelector('#messages .text').textContent === 'dopo il riavvio'")


def test_closing(page, shots):
    """Closing asks why and what was learnt; what was typed is kept until it is sent."""
    button = "document.querySelector('[data-close-incident]')"
    page.run(f"{button}.click()")
    page.wait("document.getElementById('asking').open")
    shows(page, "Perché è finito", "Che cosa abbiamo imparato")
    page.run("document.getElementById('asking-ok').click()")
    check(page.run("document.getElementById('asking').open"), "it closes without a reason")
    page.run("document.getElementById('asking-reason').value = 'firmware ritirato'")
    page.run("document.getElementById('asking-lessons').value = 'provare su cento modem\\n- e scrivere prima il testo'")
    test_looks(page, os.path.join(shots, "closing.png"), 1280)
    page.run("document.getElementById('asking-no').click()")
    page.run(f"{button}.click()")
    check("cento modem" in page.run("document.getElementById('asking-lessons').value"), "what was typed is lost")
    page.run("document.getElementById('asking-ok').click()")
    page.wait(f"{button}.disabled && {button}.textContent === 'Inviato…'")
    check(page.run("document.querySelector('.report a').getAttribute('href')").endswith("/report?lang=it"), "no link to the report")


def test_english(page):
    page.run("document.querySelector('[data-language=en]').click()")
    page.wait("document.querySelector('#inbox-title').textContent === 'Messages'")
    shows(page, "RED", "Acknowledged by Anna Riva", "normally 2.1", "reports a fault → a repair", "service lane", "don't know")
    check(page.run("document.documentElement.lang") == "en", "the language is not declared")


def test_looks(page, path, width):
    bad = page.run(CONTRAST)
    check(not bad, f"too little contrast:\n{bad}")
    check(page.run(OVERFLOW), f"the page is wider than the window of {width}")
    if width >= 800:  # its parts scroll, and it does not
        check(page.run("document.documentElement.scrollHeight <= innerHeight"), "the page is longer than the window")
    page.shot(path)


def test_payloads(stage, page):
    stage.say("payloads")
    page.open(stage.url)
    page.wait(f"{ROWS} > 40")
    page.wait("document.querySelectorAll('.incident').length === 4")
    count = page.run(ROWS)
    payloads = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "payloads.txt"), encoding="utf-8").read().splitlines()
    texts = page.run("[...document.querySelectorAll('#messages .text')].map((e) => e.textContent)")
    for p in payloads:
        check(p in texts, f"shown otherwise than written: {p}")
    check(not page.run(FOREIGN), f"in the list: {page.run(FOREIGN)}")
    for i in range(len(payloads)):
        page.run(f"document.querySelectorAll('#messages .cover')[{i}].click()")
        page.wait(f"document.querySelectorAll('#messages .message')[{i}].classList.contains('current')")
        check(not page.run(FOREIGN), f"in a record: {page.run(FOREIGN)}")
    for i in range(len(payloads)):
        page.run(f"document.querySelectorAll('[data-open-case]')[{i}].click()")
    time.sleep(0.5)
    check(not page.run(FOREIGN), f"in a case: {page.run(FOREIGN)}")
    check(page.run(ROWS) == count, "rows went away")


def test_phone_tells(page, path, width):
    """An open record covers a phone, but neither what went wrong nor, while it is typed, the name that is missing."""
    seen = "(() => {{ const e = document.querySelector('{0}'), b = e.getBoundingClientRect(); " \
           "return e.contains(document.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2)); }})()"
    page.run("document.querySelector('#record .decide .plain').click()")  # there is no name yet
    page.wait("!document.getElementById('trouble').hidden && document.activeElement.id === 'actor'")
    check(page.run(seen.format("#trouble")), "what went wrong is covered")
    check(page.run(seen.format("#actor")), "the name that is to be typed is covered")
    test_looks(page, path, width)
    page.run("document.activeElement.blur()")
    check(page.run(seen.format("#record h2")), "the record does not come back")


def shot_series(browser, stage, folder):
    """The pictures people look at: both languages, both sizes, with and without a record."""
    for language in ("it", "en"):
        for width, height, mobile in ((1280, 900, False), (390, 844, True)):
            page = cdp.Page(browser, language, width, height, mobile)
            page.open(stage.url)
            page.wait(f"{ROWS} === 11")
            page.run(f"document.querySelector('[data-language={language}]').click()")
            page.wait("document.querySelector('.incident')")
            time.sleep(0.6)
            test_looks(page, f"{folder}/{language}-{width}.png", width)
            page.run("document.querySelector('[data-wordings]').click()")
            page.wait("document.getElementById('wordings').open && !document.getElementById('wordings-ok').disabled")
            write_into(page, "document.querySelectorAll('#wordings textarea')[1]", "Chiami il 3331234567!! " + "Parola " * 80)
            page.wait("document.querySelector('#wordings .findings')")
            test_looks(page, f"{folder}/{language}-{width}-wordings.png", width)
            page.run("document.getElementById('wordings-no').click()")
            page.run("document.querySelectorAll('#messages .cover')[3].click()")
            page.wait("!document.getElementById('record').hidden")
            time.sleep(0.6)
            test_looks(page, f"{folder}/{language}-{width}-record.png", width)
            page.run("document.querySelector('#record .intention').scrollIntoView()")
            test_looks(page, f"{folder}/{language}-{width}-lane.png", width)
            if mobile:
                test_phone_tells(page, f"{folder}/{language}-{width}-no-name.png", width)
                page.run("document.querySelector('[data-close]').click()")
                page.run("document.querySelector('nav [data-view=cases]').click()")
                page.run("document.querySelector('.tabs').scrollIntoView()")
                time.sleep(0.3)
                test_looks(page, f"{folder}/{language}-{width}-cases.png", width)
                page.run("document.querySelector('#case-list .menu summary').click()")
                time.sleep(0.3)
                test_looks(page, f"{folder}/{language}-{width}-menu.png", width)
                page.run("document.querySelector('#case-list .menu[open] li:last-child button').click()")
                page.wait("document.getElementById('asking').open")
                check(page.run("document.getElementById('asking-other').options.length") == 8, "not all other cases are offered")
                test_looks(page, f"{folder}/{language}-{width}-merge.png", width)
                page.run("document.getElementById('asking-no').click()")
                page.run("document.querySelector('nav [data-view=inbox]').click()")
                time.sleep(0.3)
                page.shot(f"{folder}/{language}-{width}-inbox.png")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--stage", required=True)
    parser.add_argument("--shots", required=True, help="a folder for pictures")
    options = parser.parse_args()
    chromium = cdp.find_chromium()
    if not chromium:
        print("skipped: chromium is not installed, so the page was not looked at; apt-get install chromium")
        return 0
    os.makedirs(options.shots, exist_ok=True)
    stage = Stage(options.stage)
    browser = cdp.Browser(chromium, "it")
    try:
        stage.say("storm")
        shot_series(browser, stage, options.shots)
        page = cdp.Page(browser, "it", 1280, 900)
        page.open(stage.url)
        page.run("localStorage.clear()")
        for name, test in (("italian", lambda: test_italian(stage, page)), ("keyboard", lambda: test_keyboard(page)),
                           ("case", lambda: test_case(page)),
                           ("case menu", lambda: test_case_menu(stage, page, options.shots)), ("answer", lambda: test_answer(page, options.shots)),
                           ("crisis", lambda: test_crisis(stage, page, options.shots)),
                           ("advocates", lambda: test_advocates(stage, page)),
                           ("wordings", lambda: test_wordings(stage, page, options.shots)),
                           ("in a storm", lambda: test_in_a_storm(stage, page)),
                           ("open row", lambda: test_open_row_stays_marked(stage, page)),
                           ("filters", lambda: test_filters(page)),
                           ("live", lambda: test_live(stage, page)), ("closing", lambda: test_closing(page, options.shots)),
                           ("english", lambda: test_english(page)),
                           ("payloads", lambda: test_payloads(stage, page))):
            print(f"{name} ...", flush=True)
            test()
        found = [c for c in page.complaints() if "ERR_" not in c]  # the console was stopped once
        check(not found, f"the browser complained: {found}")
    finally:
        browser.close()
        stage.close()
    print("15 passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
