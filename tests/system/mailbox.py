"""A mailbox for the system tests: Debian's python3-aiosmtpd.

    mailbox.py PORT FOLDER

Each mail goes to FOLDER/N.eml, and a line of JSON for it to FOLDER/index. Prints "ready"; ends when standard input ends.
"""
import email
import email.policy
import json
import pathlib
import sys
import time

from aiosmtpd.controller import Controller


class Mailbox:
    def __init__(self, folder):
        self.folder, self.count = folder, 0

    async def handle_DATA(self, _server, _session, envelope):
        self.count += 1
        (self.folder / f"{self.count}.eml").write_bytes(envelope.content)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        row = {"message_id": mail["Message-ID"], "delivery": mail["X-Ascolto-Delivery"], "subject": mail["Subject"],
               "references": mail["References"], "to": envelope.rcpt_tos, "body": mail.get_content(), "at": time.time(),
               "defects": [str(d) for d in mail.defects]}
        with open(self.folder / "index", "a", encoding="utf-8") as index:
            index.write(json.dumps(row, ensure_ascii=False) + "\n")
        return "250 kept"


controller = Controller(Mailbox(pathlib.Path(sys.argv[2])), hostname="127.0.0.1", port=int(sys.argv[1]))
controller.start()
print("ready", flush=True)
sys.stdin.read()
controller.stop()
