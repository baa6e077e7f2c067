"""Makes a golden file of a snapshot: what it says, without whose machine it was made on.

Usage: PYTHONPATH=tests python3 tests/golden/neutral.py SNAPSHOT GOLDEN

A golden file is never made again: it must read for ever. New ones stand beside the old.
"""

import os
import sys

import second_reader as sr


def neutral_path(path):
    text, name = sr.model.text_parts(path)[0], os.path.basename(sr.model.text_parts(path)[0])
    return path if not text.startswith(b"/") else b"/usr/lib/" + name if b".so" in name else b"/usr/bin/" + name


def main(source, golden):
    snapshot = sr.read_snapshot(source)
    process = snapshot.process
    process.host = b"host"
    process.executable = neutral_path(process.executable)
    # The arguments may be paths; they are shown as the program's name alone.
    process.command_line = process.executable if process.command_line else b""
    for module in snapshot.modules:
        module.path = neutral_path(module.path)
    for place in (*snapshot.frames, *snapshot.sites):
        place.file = neutral_path(place.file)
    sr.write_snapshot(snapshot, golden)


if __name__ == "__main__":
    main(*sys.argv[1:])
