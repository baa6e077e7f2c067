"""Runs the test modules of folders, as many at a time as there are processors; says nothing of those that pass.

Usage: run.py FOLDER[/MODULE]...      such as: run.py cli gdb cli/test_render

What a module prints is shown when it fails. The exit status is 1 when one did. Modules that take longest begin first, by
what they took the last time (kept in the build's folder).
"""

import concurrent.futures
import glob
import json
import os
import subprocess
import sys
import time

TESTS = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(os.path.dirname(TESTS), "build")))
TIMES = os.path.join(BUILD, "test-times.json")
LIMIT = 1500  # seconds a module may take


def modules(names):
    for name in names:
        folder, _, module = name.partition("/")
        found = [module] if module else [os.path.basename(p)[:-3] for p in glob.glob(os.path.join(TESTS, folder, "test_*.py"))]
        yield from (folder + "/" + m for m in sorted(found))


def run(module):
    folder, name = module.split("/")
    began = time.monotonic()
    environment = dict(os.environ, BUILD=BUILD, PYTHONPATH=TESTS)
    try:
        done = subprocess.run([sys.executable, "-m", "unittest", "-b", name], cwd=os.path.join(TESTS, folder), env=environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT)
        status, output = done.returncode, done.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired as e:
        status, output = 1, (e.stdout or b"").decode("utf-8", "replace") + "\ndid not end within %d seconds\n" % LIMIT
    return module, status, output, time.monotonic() - began


def last_times():
    try:
        with open(TIMES, encoding="utf-8") as f:
            return json.load(f)
    except (OSError, ValueError):
        return {}


def main(names):
    times = last_times()
    chosen = sorted(modules(names), key=lambda m: -times.get(m, 1e9))
    if not chosen:
        sys.exit("run.py: there are no tests in %s" % " ".join(names))
    failed = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for module, status, output, seconds in pool.map(run, chosen):
            times[module] = round(seconds, 1)
            skipped = output.rpartition("skipped=")[2].split(")")[0] if "skipped=" in output else ""
            print("  %-6s %s%s" % ("FAILED" if status else "OK", module, " (%s skipped)" % skipped if skipped else ""), flush=True)
            if status:
                print(output, flush=True)
                failed.append(module)
    os.makedirs(BUILD, exist_ok=True)
    with open(TIMES, "w", encoding="utf-8") as f:
        json.dump(times, f, indent=1, sort_keys=True)
    if failed:
        sys.exit("failed: " + " ".join(failed))


if __name__ == "__main__":
    main(sys.argv[1:])
