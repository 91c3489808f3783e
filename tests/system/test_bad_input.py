"""Bad input never stops anything. Every bad line stands between good ones: the good ones are accepted, each bad one is in
quarantine with FILE:LINE and a reason; webhooks are answered with the status and sentence that fits; nobody dies of it."""
import http.client
import re
import signal
import time

from harness import SERVICES, Answer, check, http_call, sign, system_test

# what the line is -> (the line, what the reason must say after FILE:LINE)
BAD = {
    "broken JSON": (b'{"native_id":"x1","kind":"message","text":"brok', "not JSON: premature end"),
    "2 MB": (b'{"native_id":"x2","kind":"message","text":"' + b"a" * 2_000_000 + b'"}', r"2000045 bytes; the limit is 1048576"),
    "2 MB without sense": (b"\xff" * 2_000_000, r"2000000 bytes; the limit is 1048576"),
    "invalid UTF-8": (b'{"native_id":"x3","kind":"message","text":"caf\xe9 chiuso"}', r"not UTF-8 at byte offset 46"),
    "unknown kind": (b'{"native_id":"x4","kind":"shout","text":"?"}', r'unknown kind "shout" \(known: message, '),
    "no kind": (b'{"native_id":"x5","text":"?"}', r'"kind" is missing \(known: message, '),
    "far future": (b'{"native_id":"x6","kind":"message","text":"?","created_at_ms":99999999999999}',
                   r"created_at_ms 99999999999999 \(5138-11-16T09:46:39Z\) is in the future"),
    "long ago": (b'{"native_id":"x7","kind":"message","text":"?","created_at_ms":5}', r"is before 2000"),
    "unknown channel": (b'{"native_id":"x8","kind":"message","text":"?","channel":"elsewhere"}',
                        r'unknown channel "elsewhere" \(known: files, hook\)'),
    "duplicate key": (b'{"native_id":"x9","native_id":"y9","kind":"message","text":"?"}', r"duplicate object key"),
    "escaped NUL": (b'{"native_id":"x10","kind":"message","text":"a\\u0000b"}', r"not allowed"),
    "NUL": (b'{"native_id":"x11","kind":"message","text":"a\0b"}', r"control character"),
    "no native id": (b'{"kind":"message","text":"?"}', r'"native_id" is missing'),
    "empty native id": (b'{"native_id":"","kind":"message","text":"?"}', r'"native_id" is missing'),
    "100,000 levels": (b"[" * 100_000, r"nested too deeply; the limit is 32"),
    "40 levels": (b'{"native_id":"x12","kind":"message","x":' + b"[" * 40 + b"]" * 40 + b"}", r"nested too deeply"),
    "a list": (b'[{"native_id":"x13","kind":"message","text":"?"}]', r"not a JSON object"),
    "a word": (b'"hello"', r"not JSON"),
    "not JSON": (b"<html><body>502 Bad Gateway</body></html>", r"not JSON"),
    "wrong type": (b'{"native_id":"x14","kind":"message","text":7}', r'"text" must be a string'),
    "half a surrogate": (b'{"native_id":"x15","kind":"message","text":"\\ud800"}', r"not JSON: invalid Unicode"),
    "70 KB of text": (b'{"native_id":"x16","kind":"message","text":"' + b"b" * 70_000 + b'"}',
                      r'"text" has 70000 bytes; the limit is 65536'),
    "endless number": (b'{"native_id":"x17","kind":"message","text":"?","created_at_ms":' + b"1" * 80 + b"}",
                       r"number has too many characters; the limit is 64"),
    "1e999": (b'{"native_id":"x18","kind":"message","text":"?","rating":1e999}', r"not JSON: real number overflow"),
}
PASSED_OVER = {"empty line": b"", "blanks": b"   \t", "carriage return": b"\r"}


def good(n):
    return (b'{"native_id":"g%d","kind":"message","surface":"public","author":{"handle":"p%d"},"text":"Buongiorno %d"}'
            % (n, n, n))


def write_file(path):
    """Bad lines between good ones. Gives (line number -> name of the bad line, number of good ones)."""
    where, lines = {}, []
    for name, line in list({n: bad for n, (bad, _) in BAD.items()}.items()) + list(PASSED_OVER.items()):
        lines += [good(len(lines)), line]
        if name in BAD:
            where[len(lines)] = name
    lines.append(good(len(lines)))
    path.write_bytes(b"\n".join(lines))  # the last line has no end, and counts
    return where, len(BAD) + len(PASSED_OVER) + 1


def check_reasons(a, where):
    items = a.command_json("quarantine", "list", "ingest")["items"]
    reasons = {}
    for item in items:
        place = re.match(r"bad\.jsonl:(\d+): (.*)", item["reason"], re.S)
        check(place, f"a reason without its place: {item['reason']}")
        reasons[int(place[1])] = place[2]
    missing = {n: name for n, name in where.items() if n not in reasons}
    check(not missing, f"not in quarantine: {missing}")
    check(set(reasons) == set(where), f"in quarantine without fault: {set(reasons) - set(where)}")
    for n, name in where.items():
        check(re.search(BAD[name][1], reasons[n]), f"{name} (line {n}): the reason should say /{BAD[name][1]}/: {reasons[n]}")
    return {where[int(re.match(r"bad\.jsonl:(\d+)", i["reason"])[1])]: i["id"] for i in items}


def check_quarantine_command(t, a, ids, accepted):
    """show, drop, replay: what can be put right is accepted after it was put right, what can not is still refused."""
    shown = a.command("quarantine", "show", ids["unknown kind"]).stdout
    check("bad.jsonl:" in shown and '"kind":"shout"' in shown, f"quarantine show does not show the line: {shown}")
    shown = a.command_json("quarantine", "show", ids["invalid UTF-8"])
    check(shown["service"] == "ingest" and "caf\ufffd chiuso" in shown["raw"], f"quarantine show -o json: {shown}")
    before = a.service_status("ingest")["quarantine"]
    a.command("quarantine", "drop", ids["broken JSON"])
    gone = a.command("quarantine", "show", ids["broken JSON"], expect=1).stderr
    check("no service has" in gone, f"after drop, show says: {gone}")
    again = a.command("quarantine", "replay", ids["unknown channel"], expect=1).stderr
    check("unknown channel" in again, f"a replay that fails should say why: {again}")
    check(a.service_status("ingest")["quarantine"] == before - 1, "a replay that failed changed the quarantine")

    a.channels[0]["catch_all"] = True
    a.write_config()
    a.process["ingest"].send_signal(signal.SIGHUP)
    t.wait(lambda: "configuration read again" in a.log_of("ingest"), 5, "SIGHUP does not make ingest read its settings")
    a.command("quarantine", "replay", ids["unknown channel"])
    t.wait(lambda: a.counter("ingest", "accepted") == accepted + 1, 5, "what was replayed is not accepted")
    done = a.command("quarantine", "replay", "all", expect=1)
    left = a.service_status("ingest")["quarantine"]
    check(left == before - 2, f"replay all should leave the {before - 2} that are still wrong, it left {left}: {done.stdout}")
    wrong = a.command("status").stdout
    check(f"{left} messages are in quarantine" in wrong, f"ascolto status does not speak of the quarantine: {wrong}")
    return accepted + 1


POST = b'{"native_id":"%s","kind":"message","surface":"public","author":{"handle":"h"},"text":"Ciao"}'


def webhooks(t, a):
    """(what it is, body, headers that differ, channel, status, what the answer must say)"""
    ok, now = POST % b"w1", time.time()
    text = {"Content-Type": "text/plain"}

    def signature(value):
        return {"X-Ascolto-Signature": value}
    return [
        ("a good one", ok, {}, "hook", 200, '"accepted":1,"duplicates":0'),
        ("the same again", ok, {}, "hook", 200, '"accepted":0,"duplicates":1'),
        ("wrong signature", ok, signature(sign(ok, secret="guess")), "hook", 401, "does not match the body"),
        ("another body's signature", ok, signature(sign(ok + b" ")), "hook", 401, "does not match the body"),
        ("signed 301 s ago", ok, signature(sign(ok, at=now - 301)), "hook", 401, "away from our clock"),
        ("signed in 302 s", ok, signature(sign(ok, at=now + 302)), "hook", 401, "away from our clock"),
        ("empty signature", ok, signature(""), "hook", 401, "missing"),
        ("no digest", ok, signature(f"t={now:.0f},v1="), "hook", 401, "signature"),
        ("upper-case digest", ok, signature(sign(ok).upper().replace("T=", "t=").replace("V1=", "v1=")), "hook", 401, "lower-case"),
        ("time 1e9", ok, signature(sign(ok).replace("t=", "t=1e9")), "hook", 401, "signature"),
        ("plain text", ok, text, "hook", 415, "application/json"),
        ("a form", ok, {"Content-Type": "multipart/form-data; boundary=x"}, "hook", 415, "application/json"),
        ("2 MB", POST % (b"w" * (2 << 20)), {"Expect": "100-continue"}, "hook", 413, "too large"),
        ("unknown channel", ok, {}, "nowhere", 404, "no such channel"),
        ("broken JSON", b'{"native_id":', {}, "hook", 422, "not JSON"),
        ("invalid UTF-8", b'{"native_id":"\xff"}', {}, "hook", 422, "not UTF-8"),
        ("a number", b"7", {}, "hook", 422, "not JSON"),
        ("unknown kind", b'{"native_id":"w2","kind":"shout"}', {"X-Ascolto-Delivery": "d-17"}, "hook", 422,
         "delivery d-17, post 0: unknown kind"),
        ("another channel's", b'{"native_id":"w3","kind":"message","text":"?","channel":"files"}', {}, "hook", 422,
         'unknown channel'),
        ("a good and a bad one", b'[' + POST % b"w4" + b',{"native_id":"w5"}]', {}, "hook", 422, '"accepted":1,'),
        ("bad name of a delivery", ok, {"X-Ascolto-Delivery": "x" * 129}, "hook", 422, "128 visible"),
        ("nothing", b"", {}, "hook", 422, "error"),
    ]


def ask_first(address, path, body, headers):
    """As curl does with a large body: the header, then, if the server says so, the body. It should refuse before."""
    host, port = address.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.putrequest("POST", path)
    for name, value in (headers | {"Content-Length": str(len(body))}).items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    answer = Answer(response.status, {}, response.read())
    connection.close()
    return answer


def check_webhooks(t, a):
    rows = webhooks(t, a)
    for name, body, headers, channel, status, words in rows:
        sent = {"Content-Type": "application/json", "X-Ascolto-Signature": sign(body)} | headers
        ask = ask_first if "Expect" in headers else (lambda address, path, b, h: http_call(address, path, "POST", b, h))
        answer = ask(a.listen["ingest"], f"/hook/{channel}", body, sent)
        said = answer.body.decode("utf-8", "replace")
        check(answer.status == status, f"webhook, {name}: {answer.status} instead of {status}: {said}")
        check(words in said, f"webhook, {name}: the answer should say /{words}/: {said}")
        if status >= 400:
            check(answer.json()["error"], f"webhook, {name}: an answer without a reason: {said}")
    return len(rows)


def main(t):
    where, n = write_file(t.folder / "bad.jsonl")
    a = t.install("brezza", [
        {"name": "files", "brand": "brezza", "network": "x", "adapter": "jsonl", "settings": [f"file={t.folder / 'bad.jsonl'}"]},
        {"name": "hook", "brand": "brezza", "network": "x", "adapter": "webhook", "secret_file": "secret-hook"}])
    a.start_ready()
    a.wait_accepted(n, 20)
    t.wait(lambda: a.service_status("ingest")["quarantine"] == len(BAD), 10,
           lambda: f"{len(BAD)} bad lines should be in quarantine: {a.service_status('ingest')['quarantine']} are")
    a.wait_settled(20)
    check(a.counter("ingest", "accepted") == n, f"{n} good lines, {a.counter('ingest', 'accepted')} accepted")
    ids = check_reasons(a, where)
    t.say(f"{n} good lines accepted, {len(BAD)} bad ones in quarantine, each with its line and reason")
    n = check_quarantine_command(t, a, ids, n)
    t.say("quarantine list, show, drop, replay and replay all do what they say")
    asked = check_webhooks(t, a)
    n += 2  # "a good one" and the good half of "a good and a bad one"
    t.say(f"{asked} webhooks answered as they should be")
    a.wait_settled(20)
    check(a.counter("ingest", "accepted") == n == a.counter("escalation", "arm_records"),
          f"{n} messages should be accepted and decided: {a.status()['balance']}")
    for s in SERVICES:
        check(a.is_ready(s) and a.process[s].poll() is None, f"{s} is not well after all this")
    check(a.status()["ok"], f"ascolto status: {a.status()}")


system_test(main)
