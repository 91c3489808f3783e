"""A brand teaches Ascolto its own words. People correct messages in the console; a retraining learns from that beside the
running service, is better, and decides from then on; the record of every message names the models that read it. Wrong
corrections in bulk are refused, and a rollback brings the shipped model back."""
import json
import time

from harness import ROOT, check, system_test

# In this brand's shops "il salto" is moving to another tariff; nobody else calls it so.
WANT = ["vorrei fare il salto", "come si fa il salto", "mi fate il salto", "salto subito", "posso fare il salto oggi",
        "aspetto ancora il salto"]
TO = ["alla Brezza Plus", "alla mille mega", "dal piano base", "come mia sorella", "prima di Natale", "anche per il cellulare"]
NEW = "buongiorno, quando mi fate il salto alla mille mega?"
COPIES = ["Grazie mille al negozio di Parma, bravissimi davvero" + " !" * n for n in range(12)]


def thanks():
    """People's thanks of all kinds: those the shipped models know, said once more."""
    texts = []
    for path in sorted((ROOT / "services" / "intent" / "data").glob("train_*_it.tsv")):
        with open(path, encoding="utf-8", newline="\n") as f:
            rows = [line.rstrip("\n").split("\t") for line in f]
        text, intent = rows[0].index("text"), rows[0].index("intent")
        texts += [row[text] for row in rows[1:] if row[intent] == "praise"]
    return texts


def post(n, text):
    return {"channel": "words", "native_id": f"w{n}", "kind": "message", "surface": "public", "text": text,
            "author": {"ids": [{"scope": "x", "value": f"u{n}"}], "handle": f"u{n}"},
            "created_at_ms": int(time.time() * 1000)}


class Brand:
    def __init__(self, t):
        self.t, self.n = t, 0
        self.file = t.folder / "posts.jsonl"
        self.file.write_text("")
        self.a = t.install("learning", [{"name": "words", "brand": "brezza", "network": "x", "adapter": "jsonl",
                                         "settings": [f"file={self.file}", "follow=yes"]}],
                           settings={"intent": {"retrain_after": 0}})
        self.a.start_ready()

    def say(self, texts):
        """Posts them; gives their ids in the same order."""
        with open(self.file, "a", encoding="utf-8") as f:
            for text in texts:
                f.write(json.dumps(post(self.n, text)) + "\n")
                self.n += 1
        self.a.wait_accepted(self.n, 30)
        self.a.wait_settled(60)
        by_text = {row["text"]: row["id"] for row in self.a.messages()}
        return [by_text[text] for text in texts]

    def meaning(self, message_id):
        record = self.a.console(f"messages/{message_id}")
        return (record.get("arm") or record)["message"]["understanding"]

    def correct(self, ids, label):
        before = self.a.counter("intent", "corrections")
        for message_id in ids:
            answer = self.a.console_post(f"messages/{message_id}/correct", actor="anna", task="intent", label=label)
            check(answer.status == 202, f"a correction was answered with {answer.status}: {answer.error()}")
        self.t.wait(lambda: self.a.counter("intent", "corrections") == before + len(ids), 30, "corrections do not arrive")


def verdict(said):
    return next((line.strip() for line in said.splitlines() if "corrections held back" in line or "worse" in line), said)


def label_of(meaning):
    return meaning.get("intent", {}).get("value", "")


def main(t):
    brand = Brand(t)
    a = brand.a
    before = brand.meaning(brand.say([NEW])[0])
    check(label_of(before) != "change", "the shipped model knows the brand's word already: choose another")
    ids = brand.say([f"{want} {to}" for want in WANT for to in TO])
    brand.correct(ids, "change")
    exported = a.command("intent", "corrections", "--task", "intent", "--out", t.folder / "c.tsv").stdout
    check(f"{len(ids)} corrections" in exported, f"the export says: {exported}")

    began = time.monotonic()
    found = a.command("intent", "retrain", "intent", "--wait", timeout=500).stdout
    t.say(f"retrained in {time.monotonic() - began:.1f} s: {verdict(found)}")
    check("better: right on" in found, f"the retraining says: {found}")
    after = brand.meaning(brand.say([NEW + " grazie"])[0])
    check(label_of(after) == "change", f"after the retraining the message means {after.get('intent')}")
    check(after["model"] != before["model"], f"both records name {after['model']}")
    running = next(x for x in a.command_json("intent", "models")["tasks"] if x["task"] == "intent")["running"]
    check(running["name"].split("-")[1] in after["model"], f"{running['name']} runs, the record names {after['model']}")

    # Somebody calls every thank-you an attack: first one of them many times over, then all kinds of them.
    brand.correct(brand.say(COPIES), "attack")
    copies = a.command("intent", "retrain", "intent", "--wait", expect=1, timeout=500).stdout
    check("12 new corrections of intent, 1 without copies; 10 are needed" in copies, f"the retraining says: {copies}")
    brand.correct(brand.say(thanks()), "attack")
    poisoned = a.command("intent", "retrain", "intent", "--wait", expect=1, timeout=500).stdout
    t.say(f"poisoned: {verdict(poisoned)}")
    check("worse:" in poisoned or "not better:" in poisoned, f"the retraining says: {poisoned}")
    again = brand.meaning(brand.say([NEW + " per favore"])[0])
    check(again["model"] == after["model"], "a refused model runs")
    check("refused: " in a.command("intent", "models").stdout, "`ascolto intent models` does not show the refusal")

    a.command("intent", "rollback", "intent", "--by", "anna")
    last = brand.meaning(brand.say([NEW + " scusate"])[0])
    check(last["model"] == before["model"], f"after the rollback {last['model']} decides, not {before['model']}")
    a.check_balance(brand.n)


system_test(main)
