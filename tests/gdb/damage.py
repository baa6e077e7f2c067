"""Runs inside GDB: writes over objects at random, prints everything, and puts back what stood there.

Whatever memory holds, printing ends soon, in a text or in GDB's own error. Writes what went wrong as JSON.
"""

import json
import os
import random
import time

import gdb

NAMES = os.environ["DAMAGE_NAMES"].split()
TURNS = int(os.environ.get("PRINTER_DAMAGES", "40"))


def show(name):
    return gdb.parse_and_eval(name).format_string()


def main():
    inferior, wrong, shown = gdb.selected_inferior(), [], set()
    places = [int(gdb.parse_and_eval("(unsigned long) " + name)) for name in NAMES]
    # Objects, their types, and the tables of these.
    word = lambda at: int.from_bytes(bytes(inferior.read_memory(at, 8)), "little")  # noqa: E731
    layout = gdb.parse_and_eval("rh_control.layout")
    types = [word(place + 8) for place in places]
    tables = [word(t + int(layout["type_fields"])) for t in types]
    buffers = [at for at in (word(place + 32) for place in places) if at % 8 == 0 and at > 1 << 32]
    for turn in range(TURNS):
        rng = random.Random(turn)
        gdb.execute("set print elements %d" % rng.choice((200, 200, 0)))
        kept = []
        for _ in range(rng.choice((1, 2, 10))):
            at = rng.choice(rng.choice((places, places, types, tables, buffers))) + 8 * rng.randrange(12)
            try:
                kept.append((at, bytes(inferior.read_memory(at, 8))))
                evil = rng.choice((0, 1, 1 << 63, (1 << 64) - 1, rng.getrandbits(64), rng.choice(places), rng.choice(types),
                                   rng.choice(places) + 8 * rng.randrange(8), 1 << rng.randrange(64)))
                inferior.write_memory(at, evil.to_bytes(8, "little"))
            except gdb.MemoryError:
                kept.pop() if kept and kept[-1][0] == at else None
        for name in NAMES:
            for expression in (name, "*" + name):
                began = time.monotonic()
                try:
                    shown.add(show(expression))
                except gdb.error as e:
                    if "Python" in str(e) or "Error occurred" in str(e):
                        wrong.append([turn, expression, str(e)])
                except Exception as e:
                    wrong.append([turn, expression, repr(e)])
                if time.monotonic() - began > 10:
                    wrong.append([turn, expression, "took %.1f s" % (time.monotonic() - began)])
        for at, before in reversed(kept):
            inferior.write_memory(at, before)
    with open(os.environ["DAMAGE_RESULTS"], "w") as f:
        json.dump({"wrong": wrong, "texts": len(shown)}, f)


main()
