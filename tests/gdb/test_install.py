"""The commands as they are when installed: loaded by GDB itself with the library, or by the line for ~/.gdbinit."""

import os
import shutil
import subprocess
import unittest

from gdb_support import BUILD, SAMPLES, SOURCE, GdbTestCase


class Installed(GdbTestCase):
    def install(self, *variables):
        make = ["make", "-C", SOURCE, "O=" + BUILD, "PREFIX=" + self.path("prefix"), *variables]
        if BUILD.endswith("-san"):
            make.append("SAN=address,undefined")
        return subprocess.run(make + ["install"], stdout=subprocess.PIPE, check=True).stdout.decode()

    def test_gdb_loads_them_with_the_library(self):
        self.install("GDB_AUTOLOAD=" + self.path("auto-load"))
        program = self.path("proxy")
        shutil.copy(os.path.join(SAMPLES, "proxy"), program)
        self.gdb(program, "set auto-load python-scripts on", "set auto-load scripts-directory " + self.path("auto-load"),
                 "set auto-load safe-path " + self.path("auto-load"), "help refheap", "set environment LD_LIBRARY_PATH " +
                 self.path("prefix/lib"), "break sample_pause", "run", "up", "info sharedlibrary", "help refheap ",
                 "refheap summary", "refheap status", "print $refheap_count(conn)", "print *active", "info pretty-printer",
                 loader=None)
        self.error("help refheap")
        self.assertIn(self.path("prefix/lib/librefheap.so.0"), self.output("info sharedlibrary"))
        self.assertIn("169 objects", self.output("refheap summary"))
        self.assertIn(self.path("prefix/bin/refheap"), self.output("refheap status"))
        self.assertIn("list of 5 = {", self.output("print *active"))

    def test_elsewhere_the_line_for_gdbinit_is_told(self):
        said = self.install()
        self.assertIn("gdb-init >> ~/.gdbinit", said)
        line = subprocess.run([self.path("prefix/bin/refheap"), "gdb-init"], stdout=subprocess.PIPE, check=True).stdout.decode()
        self.gdb(os.path.join(SAMPLES, "proxy"), line.strip(), "break sample_pause", "run", "refheap summary", loader=None)
        self.assertIn("169 objects", self.output("refheap summary"))


if __name__ == "__main__":
    unittest.main()
