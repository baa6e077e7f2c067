"""The Debian packages: everything `make install` installs is in them, once; they go in and out without a trace; what is in them works.

Nothing is installed into the system: packages are unpacked into folders of the test, and dpkg works on a root of its own.
DEBS is the folder `make deb` left them in.
"""

import glob
import gzip
import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "cli"))

from support import SOURCE, TestCase, sample

DEBS = os.environ["DEBS"]
PACKAGES = {re.match(r"([^_]+)_", os.path.basename(path)).group(1): path
            for path in glob.glob(DEBS + "/*.deb") if "-dbgsym" not in path}
ARCHITECTURE = subprocess.run(["dpkg-architecture", "-qDEB_HOST_MULTIARCH"], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
PLACES = ["PREFIX=/usr", "libdir=/usr/lib/" + ARCHITECTURE, "zshdir=/usr/share/zsh/vendor-completions"]


def run(*command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True, **more).stdout.decode()


def files(folder):
    return {os.path.relpath(os.path.join(top, name), folder) for top, _, names in os.walk(folder) for name in names}


class Packages(TestCase):
    def test_what_make_installs_is_in_one_of_them(self):
        self.assertEqual(set(PACKAGES), {"refheap", "librefheap0", "librefheap-dev", "python3-refheap"})
        run("make", "-C", SOURCE, "install", "DESTDIR=" + self.path("made"), *PLACES)
        seen = {}
        for name, path in PACKAGES.items():
            run("dpkg", "-x", path, self.path(name))
            for file in files(self.path(name)):
                self.assertNotIn(file, seen)
                seen[file.replace(".gz", "") if "/man/" in file or "/doc/" in file else file] = name
        debian = {f for f in seen if re.search(r"/doc/[^/]+/(changelog|copyright)$|lintian/overrides", f)}
        self.assertEqual(set(seen) - debian, files(self.path("made")))
        libraries = {f for f in seen if f.endswith(".so.0") and "debug" not in f}
        self.assertEqual({f: seen[f] for f in libraries}, {f: "librefheap0" for f in libraries})
        with gzip.open(self.path("refheap/usr/share/man/man1/refheap-cycles.1.gz")) as f:
            self.assertIn(b".Dt REFHEAP-CYCLES 1", f.read())

    def test_version_and_dependencies(self):
        with open(os.path.join(SOURCE, "Makefile")) as f:
            version = re.search(r"^VERSION := (\S+)", f.read(), re.M).group(1)
        for path in PACKAGES.values():
            self.assertEqual(run("dpkg-deb", "-f", path, "Version").strip(), version)
        depends = {name: run("dpkg-deb", "-f", path, "Depends") for name, path in PACKAGES.items()}
        self.assertRegex(depends["refheap"], "libgvc.*libsqlite3")
        self.assertRegex(depends["librefheap0"], r"^libc6 \([^)]*\)\n$")
        self.assertIn("librefheap0 (= %s)" % version, depends["librefheap-dev"])

    @unittest.skipIf(os.getuid(), "dpkg wants to be root, also in a root of its own")
    def test_in_and_out_without_a_trace(self):
        root = self.path("root")
        for folder in ("updates", "info", "triggers"):
            os.makedirs(os.path.join(root, "var/lib/dpkg", folder))
        for file in ("status", "available"):
            open(os.path.join(root, "var/lib/dpkg", file), "w").close()
        before = files(root)
        dpkg = ["dpkg", "--root=" + root, "--force-depends", "--force-script-chrootless", "--log=/dev/null"]
        run(*dpkg, "-i", *PACKAGES.values())
        self.assertIn("usr/bin/refheap", files(root))
        status = run(*dpkg, "-s", *PACKAGES)
        self.assertEqual(status.count("Status: install ok installed"), len(PACKAGES), status)
        run(*dpkg, "--purge", *PACKAGES)
        left = {f for f in files(root) - before if not f.startswith("var/lib/dpkg/")}
        self.assertEqual(left, set())
        self.assertFalse(os.path.exists(os.path.join(root, "usr")))

    def test_what_is_in_them_works(self):
        root = self.path("root")
        for path in PACKAGES.values():
            run("dpkg", "-x", path, root)
        program, library = root + "/usr/bin/refheap", "%s/usr/lib/%s" % (root, ARCHITECTURE)
        sample("proxy", self.path("proxy.refheap"))
        self.assertIn("make connection.peer weak", run(program, "cycles", self.path("proxy.refheap")))
        self.assertIn("source %s/usr/" % os.path.realpath(root), run(program, "gdb-init"))
        said = run("/usr/bin/python3", "-c", "import refheap; print(refheap.dump(%r))" % self.path("python.refheap"),
                   env=dict(os.environ, PYTHONPATH=root + "/usr/lib/python3/dist-packages"))
        self.assertIn("runtime", run(program, "info", self.path("python.refheap"), "--json"), said)
        with open(os.path.join(SOURCE, "docs/man/librefheap.3.md")) as f:
            text = re.search(r"```c\n(#include <stdio.h>.*?)```", f.read(), re.S).group(1)
        with open(self.path("program.c"), "w") as f:
            f.write(text)
        found = run("pkg-config", "--define-variable=prefix=%s/usr" % root, "--cflags", "--libs", "librefheap",
                    env=dict(os.environ, PKG_CONFIG_PATH=library + "/pkgconfig")).split()
        for flags in (["-lrefheap"], ["-DRH_DEBUG", "-lrefheap-debug"]):
            run("cc", self.path("program.c"), "-o", self.path("program"), found[0], "-L" + library, *flags)
            said = run(self.path("program"), env=dict(os.environ, LD_LIBRARY_PATH=library))
            self.assertEqual(said, "found 2\nleaked 0\n")
        run("cc", self.path("program.c"), "-o", self.path("static"), found[0], library + "/librefheap.a")
        self.assertEqual(run(self.path("static")), "found 2\nleaked 0\n")

    @unittest.skipUnless(shutil.which("lintian"), "lintian is not installed")
    def test_lintian(self):
        done = subprocess.run(["lintian", "--allow-root", "--no-cfg", "--fail-on", "none"] + glob.glob(DEBS + "/*.changes"),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # Who the maintainer is, is said by whoever builds: DEBFULLNAME and DEBEMAIL.
        said = [line for line in done.stdout.decode().splitlines() if "bogus-mail-host" not in line]
        self.assertEqual(said, [])


if __name__ == "__main__":
    unittest.main()
