"""The CPythons of this machine: Debian's, and with CPYTHONS=all those on PATH and below ~/.pyenv/versions as well."""

import glob
import os
import subprocess
import sys
import tempfile

VERSIONS = ["3.%d" % minor for minor in range(8, 14)]


ASK = """import os, sys
if sys.implementation.name == 'cpython' and 't' not in sys.abiflags:
    print(sys.version.split()[0], os.path.realpath(sys.executable))"""


def version_of(path):
    """("3.11.2", the file that runs, which a script may stand for); None for other implementations, and without a GIL."""
    try:
        done = subprocess.run([path, "-c", ASK], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
    except OSError:
        return None
    version, _, real = done.stdout.decode().strip().partition(" ")
    return (version, real) if version.rsplit(".", 1)[0] in VERSIONS else None


def candidates():
    yield "/usr/bin/python3"
    if os.environ.get("CPYTHONS") != "all":
        return
    for folder in os.environ.get("PATH", "").split(":"):
        for version in VERSIONS:
            yield os.path.join(folder, "python" + version)
    for version in VERSIONS:
        yield from sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/%s.*/bin/python3" % version)))


def found():
    """[(version, path)], each interpreter once, and the versions of which there is none."""
    seen, pythons = set(), []
    for path in candidates():
        asked = os.access(path, os.X_OK) and version_of(path)
        if asked and asked[1] not in seen:
            seen.add(asked[1])
            pythons.append((asked[0], path))
    have = {v.rsplit(".", 1)[0] for v, _ in pythons}
    return pythons, [v for v in VERSIONS if v not in have]


class OfPython:
    """Tests of one interpreter, each with a folder of its own."""

    python = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="refheap-test-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)


if __name__ == "__main__":
    if sys.argv[1:] == ["all"]:
        os.environ["CPYTHONS"] = "all"
    pythons, missing = found()
    for version, path in pythons:
        print("  CPython %-8s %s" % (version, path))
    for version in missing:
        print("  CPython %-8s not found here" % version)
