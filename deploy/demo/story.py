"""What deploy/run shows people: how far the replay is, and in the end what happened.

    story.py plan FILE SECONDS                   prints "POSTS PACE" so that FILE takes about SECONDS to replay
    story.py follow FOLDER PROGRAMS PAGE POSTS   shows the replay until every message has been through everything
    story.py tell FOLDER PROGRAMS PAGE NAME      prints what happened

Everything is asked of the running services as any client would, and read from the mailboxes and the webhook receiver's
records as they were delivered. Times are shown in the time zone of TZ. Exit status 1: something is not as it should be,
and the last line on standard error says what.
"""
import collections
import email.policy
import json
import mailbox
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

FINISHED = "its adapter has read everything there is"  # in ingest's log
PATIENCE = 60  # seconds without anything moving
CODES = {"green": "green", "yellow": "YELLOW", "red": "RED"}


def die(words):
    print(words, file=sys.stderr)
    sys.exit(1)


def several(n, one, many=None):
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def at(ms, form="%H:%M"):
    return time.strftime(form, time.localtime(ms / 1000)) if ms else "-"


def day(ms):
    return at(ms, "%-d %B %Y")


# ---- before ----

def created(line):
    """When a line's post was written; None when it is no post or does not say."""
    try:
        ms = json.loads(line).get("created_at_ms")
        return ms if isinstance(ms, int) else None
    except (ValueError, AttributeError):
        return None


def plan(path, seconds):
    posts, times = 0, []
    with open(path, "rb") as lines:
        for line in lines:
            if line.strip():
                posts += 1
                times.append(created(line))
    times = [ms for ms in times if ms]
    if times and min(times) > (time.time() + 86400) * 1000:
        die(f"the posts of {path} were written on {day(min(times))}, and by the clock of this machine that is in the future")
    span = max(times) - min(times) if times else 0
    gap = max((b - a for a, b in zip(times, times[1:])), default=0)
    even = span and gap <= span / 4  # with a large hole, keeping the distances would mean waiting for nothing
    print(posts, round(span / 1000 / float(seconds)) or 1 if even else 0)


# ---- the running installation ----

class Installation:
    def __init__(self, folder, programs, page):
        self.folder, self.programs, self.page = folder, programs, page

    def api(self, path):
        with urllib.request.urlopen(f"{self.page}api/v1/{path}", timeout=5) as answer:
            return json.load(answer)

    def command(self, *words):
        return subprocess.run([f"{self.programs}/ascolto", "-c", f"{self.folder}/ascolto.yaml", *words],
                              capture_output=True, text=True, check=False)

    def status(self):
        done = self.command("-o", "json", "status")
        try:
            return json.loads(done.stdout)
        except ValueError:
            die(f"ascolto status does not work: {done.stderr.strip()}")

    def replayed(self):
        with open(f"{self.folder}/log/ingest.log", encoding="utf-8", errors="replace") as log:
            return any(FINISHED in line for line in log)

    def incident(self):
        """The most serious one, or None."""
        codes = list(CODES)
        return max(self.api("incidents")["incidents"], key=lambda i: codes.index(i["code"]), default=None)


def counters(status, service):
    return next((s.get("counters", {}) for s in status["services"] if s["service"] == service), {})


def undelivered(status):
    n = counters(status, "notification")
    return n.get("orders", 0) - n.get("sent", 0) - n.get("rejected", 0) - n.get("expired", 0)


def settled(status, counts):
    """Nothing is on its way any more. What lies in quarantine stays there."""
    balance = status["balance"]
    busy = any(s.get("queue", {}).get("messages") or any(l["unacknowledged"] for l in s.get("links", []))
               for s in status["services"])
    kept = sum(balance.get("quarantine", {}).values())
    return (status["ok"] and not busy and not undelivered(status) and 0 <= balance["on_their_way"] <= kept
            and counts["arm_records"] == balance["arm_records"])


# ---- during ----

class Line:
    """One line that changes where people look at it, and one now and then where they do not."""
    def __init__(self):
        self.live, self.shown, self.next = sys.stdout.isatty(), "", 0

    def show(self, words):
        if self.live:
            print("\r\033[K" + words[:shutil.get_terminal_size().columns - 1], end="", flush=True)
        elif words != self.shown and time.monotonic() >= self.next:
            print(words, flush=True)
            self.next = time.monotonic() + 10
        self.shown = words

    def keep(self, words=""):
        """These words stay; the line goes on below them."""
        if words or self.live:
            print(("\r\033[K" if self.live else "") + words, flush=True)


def follow(installation, posts):
    line, code, quiet_since, before = Line(), None, time.monotonic(), None
    while True:
        status = installation.status()
        try:
            counts = installation.api("counts")
            newest = installation.api("messages?limit=1")["messages"]
            incident = installation.incident()
        except (urllib.error.URLError, OSError):
            counts = None  # the status says why
        if counts:
            clock = at(newest[0]["occurred_ms"], "%d %b %H:%M") if newest else "-"
            words = f"  {clock}   {counts['arm_records']:,} of {posts:,} messages   {several(counts['cases'], 'case')}"
            if incident:
                words += f"   code {CODES[incident['code']]}: {incident['peak_people']} people on \"{incident['title']}\""
            words += f"   {several(counts['alerts_sent'], 'alert')} sent"
            if incident and incident["code"] != code:
                code = incident["code"]
                when = incident["red_ms"] or incident["opened_ms"]
                line.keep(f"  {at(when, '%d %b %H:%M')}   CODE {code.upper()}: an incident about \"{incident['title']}\"")
            if installation.replayed() and settled(status, counts):
                line.keep(words if words != line.shown or line.live else "")
                return
            line.show(words)
        now = (status["balance"], counts and {k: v for k, v in counts.items() if k != "now_ms"}, undelivered(status))
        if now != before or (status["ok"] and not installation.replayed()):
            quiet_since, before = time.monotonic(), now
        if time.monotonic() - quiet_since > (PATIENCE if status["ok"] else 15):
            line.keep(line.shown)
            die("; ".join(status["wrong"]) or f"nothing moves any more: {status['balance']['words']}")
        time.sleep(0.5)


# ---- after ----

def row(name, words, *more):
    print(f"  {name:<18}  {words}")
    for text in more:
        print(f"  {'':<18}  {text}")


def mails(folder):
    """(recipient, subject, delivery) of what the mail server put into the mailboxes, oldest first."""
    found = []
    for user in ("desk", "crisi"):
        box = mailbox.Maildir(f"{folder}/mail/{user}", create=False)
        for key in sorted(box.keys()):  # names begin with the time
            parsed = email.message_from_bytes(box.get_bytes(key), policy=email.policy.default)
            found.append((f"{user}@brezza.example", str(parsed["Subject"]), parsed["X-Ascolto-Delivery"]))
    return found


def hooks(folder):
    """(file, subject, delivery) of what came by webhook with a right signature."""
    found = []
    for name in sorted(os.listdir(f"{folder}/webhook/calls")):
        with open(f"{folder}/webhook/calls/{name}", encoding="utf-8") as call:
            found.append((name, json.load(call).get("subject", ""), name.removesuffix(".json")))
    return found


def counted(subjects):
    return [f"  {subject}" + (f"  ({n} times)" if n > 1 else "") for subject, n in collections.Counter(subjects).items()]


def tell_incident(i):
    opened, red = f"{day(i['opened_ms'])}, {at(i['opened_ms'])}", f"{day(i['red_ms'])}, {at(i['red_ms'])}"
    later = several((i["red_ms"] - i["opened_ms"]) // 60000, "minute")
    if i["red_ms"] == i["opened_ms"]:
        times = [f"{red}  code red, at once"]
    elif i["red_ms"]:
        times = [f"{opened}  code yellow", f"{red}  code red, {later} later"]
    else:
        times = [f"{opened}  code {i['code']}"]
    window = re.search(r"within \d+ minutes", i.get("because", ""))
    row("Incident", f"code {i['code']}: \"{i['title']}\"", *times,
        f"{several(i['messages'], 'message')}; at its height {several(i['peak_people'], 'different person', 'different people')} "
        f"{window.group() if window else 'at a time'}, on an ordinary day {i['normal']:.0f}")


def arrived(folder, expected):
    """A mail server may take a moment between accepting a mail and putting it into the mailbox."""
    for _ in range(50):
        letters, calls = mails(folder), hooks(folder)
        if len(letters) + len(calls) >= expected:
            break
        time.sleep(0.2)
    return letters, calls


def tell_alerts(installation, counts):
    letters, calls = arrived(installation.folder, counts["alerts_sent"])
    row("Alerts sent", f"{counts['alerts_sent']}, of which arrived: {several(len(letters), 'mail')}, "
        f"{several(len(calls), 'webhook')}")
    for box in sorted({m[0] for m in letters}):
        row("", f"{box} has", *counted(m[1] for m in letters if m[0] == box))
    if calls:
        row("", "by webhook, the signature checked by the receiver", *counted(c[1] for c in calls))
    twice = [d for d, n in collections.Counter(x[2] for x in letters + calls).items() if n > 1]
    if twice:
        row("", f"arrived more than once: {', '.join(twice)}")
    return not twice and len(letters) + len(calls) == counts["alerts_sent"]


def tell_quarantine(installation, status):
    kept = {s["service"]: s.get("quarantine", 0) for s in status["services"] if s.get("quarantine")}
    row("Quarantine", "nothing" if not kept else ", ".join(f"{n:,} at {service}" for service, n in kept.items()))
    for service in kept:
        items = json.loads(installation.command("-o", "json", "quarantine", "list", service).stdout).get("items", [])
        for item in items[:3]:
            row("", f"  {item['reason']}"[:200])
        row("", f"  all of them: ascolto quarantine list {service}")


def tell(installation, name):
    status, counts = installation.status(), installation.api("counts")
    balance, incidents = status["balance"], installation.api("incidents")["incidents"]
    accepted, records = balance["accepted"], balance["arm_records"]
    print(f"\nWhat happened in {name}\n")
    row("Messages accepted", f"{accepted:,}")
    row("ARM records", f"{records:,}" + (", one for each message" if records == accepted else f": {balance['words']}"))
    row("Cases", f"{counts['cases']:,}, of which open {counts['open_cases']:,}")
    if not incidents:
        row("Incident", "none")
    for incident in sorted(incidents, key=lambda i: i["opened_ms"]):
        tell_incident(incident)
    all_arrived = tell_alerts(installation, counts)
    tell_quarantine(installation, status)
    print(flush=True)
    if accepted != records:
        die(f"not every message has its ARM record: {balance['words']}")
    if not all_arrived:
        die("what was sent and what arrived are not the same: see Alerts sent above")


def main(verb, *words):
    if verb == "plan":
        plan(*words)
    elif verb == "follow":
        follow(Installation(*words[:3]), int(words[3]))
    else:
        tell(Installation(*words[:3]), words[3])


if __name__ == "__main__":
    main(*sys.argv[1:])
