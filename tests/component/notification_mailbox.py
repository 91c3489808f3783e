"""A mailbox that answers as it is told, for test_notification.c: Debian's python3-aiosmtpd.

    notification_mailbox.py PORT FOLDER

FOLDER/mode, read for each mail: "ok" (also when absent), "450 words" or "550 words" (refused with that), "hang" (kept, then
no answer). What is kept goes to FOLDER/N.eml; FOLDER/index gets a line of JSON for each.
"""
import asyncio
import email
import email.policy
import json
import pathlib
import sys

from aiosmtpd.controller import Controller


class Mailbox:
    def __init__(self, folder):
        self.folder = folder
        self.count = 0

    def keep(self, envelope):
        self.count += 1
        (self.folder / f"{self.count}.eml").write_bytes(envelope.content)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        row = {"message_id": mail["Message-ID"], "subject": mail["Subject"], "body": mail.get_content().replace("\r\n", "\n"),
               "to": envelope.rcpt_tos, "defects": [str(d) for d in mail.defects]}
        with open(self.folder / "index", "a", encoding="utf-8") as index:
            index.write(json.dumps(row, ensure_ascii=False) + "\n")

    async def handle_DATA(self, server, session, envelope):
        mode = self.folder / "mode"
        answer = mode.read_text().strip() if mode.exists() else "ok"
        if answer[0] in "45":
            return answer
        self.keep(envelope)
        if answer == "hang":
            await asyncio.sleep(60)
        return "250 kept"


folder = pathlib.Path(sys.argv[2])
controller = Controller(Mailbox(folder), hostname="127.0.0.1", port=int(sys.argv[1]))
controller.start()
print("ready", flush=True)
sys.stdin.read()  # until the test ends, however it ends
controller.stop()
