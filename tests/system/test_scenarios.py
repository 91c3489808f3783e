"""Every folder of scenarios/ (scenarios.py says what is in them): what happens, and what must come of it and nothing else.

Those that do not touch the clock share one installation and happen at the same time, each as a brand of its own; the others
share another one, one after the other, with a wall clock the test moves. `--only NAME` runs one."""
import time

from harness import Failed, check, system_test
from scenarios import install, moves_clock, read_scenarios


def play(t, scenario, wrong):
    """All steps, and what was wrong of it."""
    began = time.monotonic()
    try:
        for step in scenario.steps["steps"]:
            scenario.step(step)
        if "check" not in scenario.steps["steps"][-1]:
            scenario.check("end")
        lacks = scenario.steps.get("lacks")
        t.say(f"{scenario.name}: as expected ({time.monotonic() - began:.1f} s)"
              + (f"; \"lacks\" can go from its file: {lacks}" if lacks else ""))
    except Failed as e:
        if "lacks" in scenario.steps:
            t.say(f"{scenario.name}: not yet: {scenario.steps['lacks']}\n{e}")
        else:
            wrong.append(str(e))
            t.say(f"{scenario.name}: WRONG")


def main(t):
    t.say(f"seed {t.options.seed}")
    wrong = []
    scenarios = read_scenarios(t, t.options.only)
    for name, clock in (("still", False), ("clock", True)):
        part = [s for s in scenarios if moves_clock(s) == clock]
        if not part:
            continue
        a = install(t, name, part, clock)
        a.start_ready()
        for s in part:
            play(t, s, wrong)
        given = sum(s.given for s in part)
        balance = a.status()["balance"]
        check(balance["accepted"] == balance["arm_records"] == given, f"{given} messages were given: {balance}")
        a.close()
    check(not wrong, "\n".join(wrong))


system_test(main)
