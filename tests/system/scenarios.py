"""Scenarios: a folder each in scenarios/, with what happens (scenario.json), what must come of it (expect.json), and texts.

scenario.json:

    what        one sentence
    playbook    a file of the folder, or a list of [old, new]: what to replace in Brezza's own; default: Brezza's as it is
    brand       further settings of the brand (language, vips)
    lacks       what the product still lacks for this scenario: that it fails is said, and is no failure of the test
    steps       what happens, in this order, each an object with one of these keys:

        replay          a list of sources; their posts come in the order of their times, as fast as they go
        check           the name of an expectation in expect.json; the last step may leave it out: "end"
        clock           "+11 minutes", or "12-24 22:30": the next time it is that; wall clocks of all services jump
        acknowledge     the incidents of this code ("red"), by somebody called Ada
        alarms          "call" or "drop": what somebody decides of alarms that are held
        playbook        the brand's playbook becomes this one, and escalation reads it
        refuse          the same, but the file must be refused with these words: {"playbook": ..., "words": [...]}
        restart         escalation is killed and started again

A source is an object:

    posts           a file of posts, one JSON object a line      or  texts  a file with one text a line
    group           of posts that storm/gold.tsv lists: only these groups (a list)
    skip, first     without the first so many; only so many
    from            "2026-03-12 18:07", or "now": when the first is written; posts keep their distances
    within_minutes  ... or are spread over so many, unevenly      or  every_minutes  evenly
    author          an object: all are written by this one; default: each text by somebody else
    channel, surface  of texts

expect.json: names of checks, each an object of what is there then, and nothing else is:

    incidents       a list, in any order: {"code", "opened": [from, to], "red": [from, to], "people": [least, most]}
    alarms          {"DESTINATION TEMPLATE CODE": how many, or [least, most]}, in all so far
    misread         so many alarms of template case_at_once may come to each besides those named: words that are taken for a
                    danger by mistake
    cases           [least, most], or a number
    case            a list: {"author", "code", "kind", "owner", ...}: the case of what this author wrote
    advocates       the handles of those who are on the list, in any order
    playbook        {"native id": label}: the version the decision about this message names

A scenario is a brand of its own with the destinations of its playbook, so that all can share an installation.
"""
import collections
import datetime
import json
import os
import re
import struct
import time
import zoneinfo

from tools import HERE, PLAYBOOK, Failed, check, gold, http_call, lines_of

FOLDER = HERE / "scenarios"
ZONE = zoneinfo.ZoneInfo("Europe/Rome")
SETTLE_S = 40
GATHER_S = 2.5


def at_ms(text):
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp() * 1000)


def show_ms(ms):
    return f"{datetime.datetime.fromtimestamp(ms / 1000, ZONE):%Y-%m-%d %H:%M:%S}"


def fits(n, want):
    least, most = want if isinstance(want, list) else (want, want)
    return least <= n <= most


class Clock:
    """The wall clock of all services (clock.c)."""

    def __init__(self, test, folder):
        self.file = folder / "clock"
        self.ahead_ns = 0
        self.library = test.options.bin.parent / "tests" / "system_clock.so"
        check(self.library.exists(), f"{self.library} is not built")
        self.write()

    def write(self):
        with open(self.file, "r+b" if self.file.exists() else "w+b") as f:
            f.write(struct.pack("=q", self.ahead_ns))

    def now(self):
        return time.time() + self.ahead_ns / 1e9

    def move(self, words):
        """"+11 minutes", or "12-24 22:30"."""
        ahead = re.fullmatch(r"\+(\d+) minutes?", words)
        if ahead:
            seconds = int(ahead[1]) * 60
        else:
            here = datetime.datetime.fromtimestamp(self.now(), ZONE)
            then = datetime.datetime.fromisoformat(f"{here.year}-{words}").replace(tzinfo=ZONE)
            if then <= here:
                then = then.replace(year=here.year + 1)
            seconds = then.timestamp() - self.now()
        self.ahead_ns += int(seconds * 1e9)
        self.write()

    def environment(self, base):
        asan = base.get("ASAN_OPTIONS", "")
        return base | {"LD_PRELOAD": str(self.library), "ASCOLTO_TEST_CLOCK": str(self.file),
                       "ASAN_OPTIONS": ":".join(filter(None, [asan, "verify_asan_link_order=0"]))}


class Scenario:
    def __init__(self, test, folder):
        self.test, self.folder, self.name = test, folder, folder.name
        self.steps = json.loads((folder / "scenario.json").read_text(encoding="utf-8"))
        self.expect = json.loads((folder / "expect.json").read_text(encoding="utf-8"))
        self.file = test.folder / f"{self.name}.jsonl"
        self.file.touch()
        self.given = 0       # posts written to the file
        self.playbook = test.folder / f"{self.name}.yaml"
        self.destinations = self.write_playbook(self.steps.get("playbook"))

    # ---- what it needs of an installation

    def write_playbook(self, what):
        """With destinations of this scenario's own (the names that end in -mail or -hook); gives them."""
        changes = what if isinstance(what, list) else []
        text = (self.folder / what if what and not changes else PLAYBOOK).read_text(encoding="utf-8")
        for old, new in changes:
            check(old in text, f"{self.name}: \"{old}\" is not in {PLAYBOOK.name}")
            text = text.replace(old, new)
        found = sorted(set(re.findall(r"\b[a-z0-9-]+-(?:mail|hook)\b", text)))
        for name in found:
            text = re.sub(rf"(?<![a-z0-9-]){name}\b", f"{self.name}-{name}", text)
        self.playbook.write_text(text, encoding="utf-8")
        return [f"{self.name}-{name}" for name in found]

    def brand(self):
        return {"name": self.name, "title": self.name, "language": "it", "playbook": str(self.playbook)} | \
            self.steps.get("brand", {})

    def channel(self):
        return {"name": f"{self.name}-file", "brand": self.name, "network": "x", "adapter": "jsonl", "catch_all": True,
                "settings": [f"file={self.file}", "follow=yes"]}

    # ---- what happens

    def posts_of(self, source, number):
        rows = self.rows_of(source)[source.get("skip", 0):][:source.get("first")]
        if "from" in source:
            begin = int(self.installation.now() * 1000) if source["from"] == "now" else at_ms(source["from"])
            shift = begin - rows[0]["created_at_ms"]
            for n, p in enumerate(rows):
                p["created_at_ms"] = begin + self.offset_ms(source, n, len(rows), p["created_at_ms"] + shift - begin)
        for n, p in enumerate(rows):
            p["native_id"] = f"{number}-{p['native_id']}"
            p["channel"] = f"{self.name}-{p['channel']}"
            if "author" in source:
                p["author"] = source["author"]
        return rows

    def rows_of(self, source):
        if "posts" in source:
            path = (self.folder / source["posts"]).resolve()
            groups = gold(path.name) if "group" in source else {}
            return [p for p in lines_of(path) if not groups or groups[p["native_id"]] in source["group"]]
        texts = (self.folder / source["texts"]).read_text(encoding="utf-8").splitlines()
        return [{"channel": source.get("channel", "x"), "native_id": f"t{n}", "kind": "message",
                 "surface": source.get("surface", "public"), "conversation": f"{source['texts']}-{n}",
                 "author": {"ids": [{"scope": "x", "value": f"{source['texts']}-{n}"}], "handle": f"{source['texts']}_{n}"},
                 "text": text, "created_at_ms": n} for n, text in enumerate(texts) if text.strip()]

    def offset_ms(self, source, n, total, kept):
        if "every_minutes" in source:
            return int(n * source["every_minutes"] * 60000)
        if "within_minutes" in source:
            step = source["within_minutes"] * 60000 / total
            return int(n * step + self.test.random.uniform(0, step * 0.9))
        return kept

    def replay(self, sources):
        posts = sorted((p for n, s in enumerate(sources) for p in self.posts_of(s, self.given + n)),
                       key=lambda p: p["created_at_ms"])
        with open(self.file, "a", encoding="utf-8") as f:
            f.writelines(json.dumps(p, ensure_ascii=False) + "\n" for p in posts)
        self.given += len(posts)

    def step(self, step):
        a = self.installation
        (verb, what), = step.items()
        if verb == "replay":
            self.replay(what)
            self.settle()
        elif verb == "check":
            self.check(what)
        elif verb == "clock":
            a.clock.move(what)
            time.sleep(GATHER_S)  # alarms that are late by the jump wait for others
            self.settle()
        elif verb == "acknowledge":
            self.acknowledge(what)
        elif verb == "alarms":
            answer = a.console_post(f"alarms?brand={self.name}", actor="Ada", call=what == "call")
            check(answer.status == 202, f"{self.name}: deciding of held alarms: {answer.status} {answer.error()}")
            self.test.wait(lambda: not a.console(f"counts?brand={self.name}")["held_alarms"], 5,
                           f"{self.name}: alarms are still held")
        elif verb == "playbook":
            self.write_playbook(what)
            answer = http_call(a.http["escalation"], "/-/reload", "POST")
            check(answer.status == 200, f"{self.name}: the playbook {what} is not taken: {answer.error()}")
        elif verb == "refuse":
            self.refuse(what)
        elif verb == "restart":
            a.kill9("escalation")
            a.start_ready("escalation")
        else:
            raise Failed(f"{self.name}: there is no step \"{verb}\"")

    def refuse(self, what):
        before = self.playbook.read_text(encoding="utf-8")
        self.write_playbook(what["playbook"])
        answer = http_call(self.installation.http["escalation"], "/-/reload", "POST")
        said = answer.body.decode("utf-8", "replace")
        check(answer.status >= 400 and all(w in said for w in what["words"]),
              f"{self.name}: the playbook should be refused with {what['words']}: {answer.status} {said}")
        self.playbook.write_text(before, encoding="utf-8")

    def acknowledge(self, code):
        a = self.installation
        for i in (i for i in a.incidents(self.name) if i["code"] == code):
            answer = a.console_post(f"incidents/{i['id']}/acknowledge?brand={self.name}", actor="Ada")
            check(answer.status == 202, f"{self.name}: acknowledging: {answer.status} {answer.error()}")
            self.test.wait(lambda i=i: a.console(f"incidents/{i['id']}?brand={self.name}")["incident"].get("acknowledged_by"),
                           5, f"{self.name}: the incident does not become acknowledged")

    def settle(self):
        a = self.installation
        self.test.wait(lambda: a.console(f"counts?brand={self.name}")["messages"] >= self.given, SETTLE_S,
                       lambda: f"{self.name}: {self.given} messages were given, the console shows "
                       f"{a.console(f'counts?brand={self.name}')['messages']}")
        a.wait_settled(SETTLE_S)

    # ---- what must come of it

    def check(self, name):
        found, expect = [], dict(self.expect[name])
        self.misread = expect.pop("misread", 0)
        for key, want in expect.items():
            getattr(self, f"check_{key}")(want, found)
        check(not found, f"{self.name}, {name}:\n  " + "\n  ".join(found))

    def check_incidents(self, want, found):
        left, wanted = self.installation.incidents(self.name), list(want)
        for i in list(left):
            fits = [w for w in wanted if not self.incident_faults(w, i)]
            if fits:
                wanted.remove(fits[0])
                left.remove(i)
        for w in wanted:
            near = [", ".join(self.incident_faults(w, i)) for i in left]
            found.append(f"an incident {w} is missing" + (f" ({'; '.join(near)})" if near else ""))
        found += [f"an incident too many: {i['code']} \"{i['title']}\" opened {show_ms(i['opened_ms'])}, {i['because']}"
                  for i in left[len(wanted):]]

    def incident_faults(self, want, i):
        faults = [] if i["code"] == want["code"] else [f"it is {i['code']}"]
        for key, field in (("opened", "opened_ms"), ("red", "red_ms")):
            if key in want and not at_ms(want[key][0]) <= i[field] <= at_ms(want[key][1]):
                faults.append(f"{key} {show_ms(i[field]) if i[field] else 'never'}")
        if "people" in want and not want["people"][0] <= i["peak_people"] <= want["people"][1]:
            faults.append(f"{i['peak_people']} people")
        return faults

    def check_alarms(self, want, found):
        prefix, got = f"{self.name}-", collections.defaultdict(list)
        for o in (d["order"] for d in self.installation.hooks.list(brand=self.name)):
            got[" ".join((o["destination"].removeprefix(prefix), o["template"], o["code"]))].append(o["text"])
        for alarm in sorted(set(got) | set(want)):
            misread = alarm.split()[1] == "case_at_once" and alarm not in want
            if not fits(len(got[alarm]), [0, self.misread] if misread else want.get(alarm, 0)):
                found.append(f"alarm \"{alarm}\": {len(got[alarm])} instead of {want.get(alarm, 0)}"
                             + "".join(f"\n    {' '.join(text.split())[:200]}" for text in got[alarm][:3]))

    def check_cases(self, want, found):
        n = self.installation.console(f"counts?brand={self.name}")["cases"]
        if not fits(n, want):
            found.append(f"{n} cases instead of {want}")

    def check_case(self, want, found):
        a = self.installation
        cases = {row["handle"]: row["case_id"] for row in a.messages(self.name) if "case_id" in row}
        for w in want:
            author = w["author"]
            if author not in cases:
                found.append(f"{author} has no case")
                continue
            case = a.console(f"cases/{cases[author]}?brand={self.name}")["case"]
            for key, value in w.items():
                if key.endswith("_due"):
                    due = show_ms(case[f"{key}_ms"])[5:16]
                    if due != value:
                        found.append(f"the case of {author}: {key} {due} instead of {value}")
                elif key != "author" and case.get(key) != value:
                    found.append(f"the case of {author}: {key} is {case.get(key)}, not {value}")

    def check_advocates(self, want, found):
        listed = sorted(x["handle"] for x in self.installation.console(f"advocates?brand={self.name}")["advocates"])
        if listed != sorted(want):
            found.append(f"advocates are {listed}, not {want}")

    def check_playbook(self, want, found):
        a = self.installation
        for row in a.messages(self.name):
            arm = a.console(f"messages/{row['id']}?brand={self.name}")["arm"]
            native = arm["message"]["post"]["native_id"]
            if native in want and arm["playbook"] != want[native]:
                found.append(f"{native} was decided by \"{arm['playbook']}\", not \"{want[native]}\"")


def read_scenarios(test, names):
    known = sorted(p.parent.name for p in FOLDER.glob("*/scenario.json"))
    check(set(names) <= set(known), f"there is no scenario {set(names) - set(known)}; there are {known}")
    return [Scenario(test, FOLDER / n) for n in known if not names or n in names]


def moves_clock(scenario):
    return any("clock" in s for s in scenario.steps["steps"])


def install(test, name, scenarios, clock):
    a = test.install(name, [s.channel() for s in scenarios], brands=[s.brand() for s in scenarios],
                     destinations=[(s.name, d) for s in scenarios for d in s.destinations])
    for d in a.destinations:
        d.update({"kind": "webhook", "url": f"{a.hooks.url}/{d['name']}", "secret_file": "secret-hook"})
        for key in ("from", "to"):
            d.pop(key, None)
    a.write_config()
    a.clock, a.now = None, time.time
    if clock:
        a.clock = Clock(test, a.folder)
        a.now = a.hooks.now = a.clock.now
        a.environment = a.clock.environment(dict(os.environ))
    for s in scenarios:
        s.installation = a
    return a
