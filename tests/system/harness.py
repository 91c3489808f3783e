"""What the system tests share: an installation of Ascolto in a folder of its own, and the world around it.

A test is a program: `system_test(main)` at its end runs main(t), prints "passed" or what was wrong, and ends every process
it started, however it ends (also when the test itself is killed). Options, given by ctest:

    --bin FOLDER      the programs                 --models FOLDER   intent's models
    --work FOLDER     where installations live     --slow N          all waiting times N times as long (sanitizers)
    --sanitized       limits on memory and speed mean nothing in this build
    --keep            keep the folders of a test that passed (those of one that failed are always kept)
    --seed N          the random numbers of another run; every run prints its own
    --only NAME       of a test with several parts, this one; may be given again

Only Python's standard library is needed; Debian's python3-aiosmtpd (mails) and webhook are used when they are there.
"""
import argparse
import atexit
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback

from installation import Installation
from tools import *  # noqa: F401,F403 - what a test needs comes from here
from tools import ROOT, Failed, check
from world import DebianWebhook  # noqa: F401


class Test:
    def __init__(self, options):
        self.options = options
        self.installations = []
        self.random = random.Random(options.seed)
        options.work.mkdir(parents=True, exist_ok=True)
        for old in options.work.glob(f"{options.name}.*"):  # kept by a run that failed
            if not pathlib.Path(f"/proc/{old.suffix[1:]}").exists():
                shutil.rmtree(old, ignore_errors=True)
        self.folder = options.work / f"{options.name}.{os.getpid()}"
        self.folder.mkdir()
        self.check_disk()

    def check_disk(self):
        kind = subprocess.run(["stat", "-f", "-c", "%T", str(self.folder)], capture_output=True, text=True).stdout.strip()
        check(kind not in ("tmpfs", "ramfs"), f"{self.folder} is in memory ({kind}); give a folder on a disk with --work")

    def say(self, sentence):
        print(f"{time.monotonic() - self.began:6.1f} s  {sentence}", flush=True)

    def wait(self, condition, limit_s, otherwise, pause_s=0.05):
        """Until condition() is true; otherwise() says what is missing."""
        end = time.monotonic() + limit_s * self.options.slow
        while True:
            try:
                if condition():
                    return
            except OSError:
                pass  # a service that is just being restarted
            check(time.monotonic() < end, f"after {limit_s} s: {otherwise() if callable(otherwise) else otherwise}")
            time.sleep(pause_s)

    def close(self):
        for installation in self.installations:
            installation.close()

    def install(self, name, channels, **options):
        return Installation(self, name, channels, **options)


def read_options():
    p = argparse.ArgumentParser()
    p.add_argument("--bin", type=lambda s: pathlib.Path(s).resolve(), default=ROOT / "build" / "dev" / "bin")
    p.add_argument("--models", type=lambda s: pathlib.Path(s).resolve())
    p.add_argument("--work", type=lambda s: pathlib.Path(s).resolve(), default=pathlib.Path("/var/tmp/ascolto-system"))
    p.add_argument("--slow", type=float, default=1)
    p.add_argument("--sanitized", action="store_true")
    p.add_argument("--keep", action="store_true")
    p.add_argument("--seed", type=int, default=int(time.time() * 1000) % 1000000)
    p.add_argument("--only", action="append", default=[])
    options = p.parse_args()
    options.models = options.models or options.bin.parent / "models"
    options.name = pathlib.Path(sys.argv[0]).stem.removeprefix("test_")
    return options


def check_sanitizers(test):
    """In a build with sanitizers: what they found is in the logs."""
    for installation in test.installations:
        for log in installation.logs.iterdir():
            text = log.read_text(encoding="utf-8", errors="replace")
            found = re.search(r"^.*(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:).*$", text, re.M)
            check(not found, f"{log.name}: {found and found[0]}; its log is in {log}")


def tell_logs(test):
    """The end of what the services said, for whoever reads the failure."""
    for installation in test.installations:
        for log in sorted(installation.logs.iterdir()):
            text = log.read_text(encoding="utf-8", errors="replace").splitlines()
            print(f"--- {installation.name}/{log.name}: {len(text)} lines, the last:\n" + "\n".join(text[-8:]))


def system_test(main):
    options = read_options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    test = Test(options)
    test.began = time.monotonic()
    atexit.register(test.close)
    status = 1
    try:
        main(test)
        check_sanitizers(test)
        test.say("passed")
        status = 0
    except Failed as e:
        print(f"\nfailed (seed {options.seed}): {e}\n")
    except Exception:  # noqa: BLE001 - a test's own mistake is a failure too, and needs its trace
        print(f"\nfailed (seed {options.seed}):\n{traceback.format_exc()}")
    if status:
        tell_logs(test)
        print(f"kept for a look: {test.folder}")
    test.close()
    atexit.unregister(test.close)
    if not status and not options.keep:
        shutil.rmtree(test.folder, ignore_errors=True)
    sys.stdout.flush()
    os._exit(status)  # threads of servers are daemons; nothing is waited for
