#!/usr/bin/env python3
"""Writes layout_tables.h: the layouts of every CPython that has its headers on this machine.

usage: generate.py [--check] FILE      (make cpython-layouts)

A version that is not there keeps the entry that FILE has. With --check nothing is written: the exit status is 1 when an
entry differs from what the headers say.
"""

import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
VERSIONS = ["3.%d" % minor for minor in range(8, 14)]
HEAD = """/* Written by generate/generate.py (make cpython-layouts) from CPython's own headers; not to be edited. */
"""


def headers(version):
    """Folders of headers of a version, internal ones among them: below the system's prefix, PATH, and pyenv."""
    prefixes = ["/usr", "/usr/local"] + [os.path.dirname(p) for p in os.environ.get("PATH", "").split(":") if p]
    prefixes += sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/%s.*" % version)))
    for prefix in dict.fromkeys(os.path.realpath(p) for p in prefixes):
        folder = os.path.join(prefix, "include", "python" + version)
        if os.path.exists(os.path.join(folder, "internal", "pycore_pystate.h")):
            yield folder


def entry_of(folder):
    with tempfile.TemporaryDirectory() as scratch:
        program = os.path.join(scratch, "offsets")
        subprocess.run(["cc", "-std=gnu11", "-w", "-DPy_BUILD_CORE", "-I" + folder, "-I" + os.path.join(folder, "internal"),
                        "-o", program, os.path.join(HERE, "offsets.c")], check=True)
        return subprocess.run([program], check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout


def entries_of(path):
    if not os.path.exists(path):
        return {}
    with open(path) as f:
        found = re.findall(r"^    \{\.version = 0x03([0-9a-f]{2}),.*?^    \},\n", f.read(), re.M | re.S)
    with open(path) as f:
        return {"3.%d" % int(v, 16): m for v, m in zip(found, re.findall(r"^    \{\.version.*?^    \},\n", f.read(), re.M | re.S))}


def main():
    check = "--check" in sys.argv
    path = sys.argv[-1]
    kept, differing = entries_of(path), 0
    entries = dict(kept)
    for version in VERSIONS:
        folders = list(headers(version))
        if not folders:
            print("  no headers of CPython %s here: its entry is kept" % version)
        for folder in folders:
            entry = entry_of(folder)
            if entry != kept.get(version):
                differing += 1
                print("  %s: differs from the table" % folder)
            entries[version] = entry
    if not check:
        with open(path, "w") as f:
            f.write(HEAD + "".join(entries[v] for v in VERSIONS if v in entries))
    return 1 if check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
