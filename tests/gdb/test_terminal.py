"""GDB as a person has it, at a terminal: TAB, the pager, Ctrl-C."""

import os
import pty
import re
import select
import shutil
import signal
import struct
import sys
import termios
import time
import fcntl
import unittest

from gdb_support import LOADER, SAMPLES, GdbTestCase

PROMPT = "(gdb) "


def terminals():
    try:
        for fd in pty.openpty():
            os.close(fd)
        return True
    except OSError:
        return False


@unittest.skipUnless(terminals(), "there are no pseudo-terminals here")
class Terminal(GdbTestCase):
    def start(self, program=os.path.join(SAMPLES, "proxy"), stop=True):
        arguments = ["gdb", "-nx", "-q", "-iex", "set debuginfod enabled off", "-iex", "set auto-load no", "-iex",
                     "set startup-with-shell off", "-iex", "set confirm off", "-iex", "set style enabled off", "-x", LOADER, program]
        environment = dict(self.environment(), TERM="xterm", INPUTRC="/dev/null", COLUMNS="200", LINES="100")
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.chdir(self.folder)
            os.execvpe("gdb", arguments, environment)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 100, 200, 0, 0))
        self.addCleanup(self.end)
        self.said = ""
        self.expect(PROMPT)
        for command in ("set width 0", "set height 0", *(("tbreak sample_pause", "run", "up") if stop else ())):
            self.command(command)

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def type(self, text):
        os.write(self.fd, text.encode())

    def expect(self, text, seconds=30):
        """Reads until the text has come; returns all that came before it and with it."""
        until = time.monotonic() + seconds
        while text not in self.said:
            left = until - time.monotonic()
            self.assertGreater(left, 0, "no %r, but %r" % (text, self.said))
            if select.select([self.fd], [], [], left)[0]:
                self.said += re.sub(r"\x1b\[\??[0-9;]*[a-zA-Z]", "", os.read(self.fd, 1 << 16).decode("utf-8", "replace"))
        end = self.said.index(text) + len(text)
        found, self.said = self.said[:end], self.said[end:]
        self.assertNotIn("Python Exception", found)
        self.assertNotIn("Traceback", found)
        return found

    def command(self, text):
        self.type(text + "\n")
        self.expect("\n")
        return self.expect(PROMPT)[:-len(PROMPT)]

    def completes(self, typed, to):
        """TAB makes one of what was typed, and nothing is complained of."""
        self.type(typed + "\t")
        self.expect(to)
        self.type("\x15\n")  # rub it out
        self.expect(PROMPT)

    def test_tab(self):
        self.start()
        open(self.path("earlier.refheap"), "w").close()
        self.completes("refheap referr", "refheap referrers ")
        self.completes("rh cyc", "rh cycles ")
        self.completes("refheap cycles -gen", "refheap cycles -generation ")
        self.completes("refheap cycles -generation perm", "-generation permanent ")
        self.completes("refheap cycles -no", "refheap cycles -no-fold ")
        self.completes("refheap referrers -generation 0 -- conn->pe", "-- conn->peer ")
        self.completes("refheap object conn->bu", "object conn->buffer ")
        self.completes("refheap diff earl", "diff earlier.refheap ")
        self.completes("refheap diff -by type earl", "type earlier.refheap ")
        self.completes("refheap render -o earl", "-o earlier.refheap ")
        self.completes("refheap render -o x.svg why conn->pe", "why conn->peer ")
        self.completes("set refheap capture-m", "capture-method ")
        self.completes("set refheap capture-method ser", "capture-method served ")
        self.command("refheap summary")  # names of types and roots are those of the snapshot that is there
        self.completes("refheap why root:act", "root:active ")
        self.completes("refheap summary -type buf", "-type buffer ")
        self.completes("refheap what-if -cut connection.bu", "connection.buffer ")
        self.type("refheap referr\t-\t\t")
        self.assertIn("generation", self.expect("type"))

    def test_the_pager(self):
        self.start()
        self.command("set height 12")
        self.type("refheap cycles -no-fold -limit 0\n")
        self.expect("--Type <RET>")
        self.type("\n")
        self.expect("--Type <RET>")
        self.type("q\n")
        self.expect(PROMPT)
        self.type("refheap cycles -no-fold -limit 0\n")
        self.expect("--Type <RET>")
        self.type("\x03")
        self.expect(PROMPT)
        self.command("set height 0")
        self.assertIn("169 objects", self.command("refheap summary"))

    def check_health(self):
        """After an interruption everything works as before, and the program ends as it would have."""
        self.assertIn("169 objects", self.command("refheap summary"))
        self.assertIn("main", self.command("frame"))
        self.assertIn("exited normally", self.command("continue"))
        self.assertIn("no program is being debugged", self.command("refheap summary"))

    def interrupt(self, command, seconds=5):
        self.type(command + "\n")
        time.sleep(0.4)
        began = time.monotonic()
        self.type("\x03")
        said = self.expect(PROMPT)
        self.assertLess(time.monotonic() - began, seconds)
        return said

    ENDLESS = "refheap sql with recursive t(x) as (select 1 union all select x from t) select count(*) from t"

    def test_ctrl_c_in_a_question(self):
        self.start()
        self.command("refheap summary")
        for _ in range(2):
            self.assertIn("refheap: interrupted.", self.interrupt(self.ENDLESS))
        self.check_health()

    def slow_program(self):
        """In place of refheap: one that asks for memory and never has enough."""
        path = self.path("slow")
        with open(path, "w") as f:
            f.write("""#!%s
import os, struct, sys
fd = int(sys.argv[sys.argv.index("--memory-socket") + 1].split(",")[0]) if "--memory-socket" in sys.argv else None
start = int(os.read(int(sys.argv[sys.argv.index("--maps-fd") + 1]), 4096).split(b"-")[0], 16)
while True:
    if fd is None:
        os.read(0, 1) or __import__("time").sleep(1)
        continue
    os.write(fd, struct.pack("<IIQ", 1, 1 << 20, start))
    left = struct.unpack("<II", os.read(fd, 8))[1]
    while left:
        left -= len(os.read(fd, left))
""" % sys.executable)
        os.chmod(path, 0o755)
        return path

    def test_ctrl_c_in_a_capture(self):
        self.start()
        self.command("set refheap program " + self.slow_program())
        for method in ("descriptors", "served"):
            self.command("set refheap capture-method " + method)
            self.assertIn("refheap: interrupted.", self.interrupt("refheap capture x.refheap"))
        self.command("set refheap timeout 1")
        self.assertIn("gave up after 1 seconds", self.command("refheap capture x.refheap"))
        self.command("set refheap timeout unlimited")
        self.command("set refheap program")
        self.command("set refheap capture-method auto")
        self.assertFalse(os.path.exists(self.path("x.refheap")))
        self.check_health()

    @unittest.skipUnless(shutil.which("gdbserver"), "gdbserver is not installed")
    def test_ctrl_c_in_a_capture_through_gdbserver(self):
        program = os.path.join(SAMPLES, "proxy")
        self.start(stop=False)
        self.command("set sysroot /")
        self.command(self.gdbserver(program))
        for command in ("tbreak sample_pause", "continue", "up"):
            self.command(command)
        self.command("set refheap program " + self.slow_program())
        for _ in range(3):
            self.assertIn("refheap: interrupted.", self.interrupt("refheap capture x.refheap"))
        self.command("set refheap program")
        self.check_health()

    def test_ctrl_c_in_a_printer(self):
        self.start()
        self.command("python import refheap_gdb.oneline as o; o.Line.of = lambda *a: __import__('time').sleep(20)")
        self.assertIn("interrupted>", self.interrupt("print active"))
        self.check_health()


if __name__ == "__main__":
    unittest.main()
