"""Memory served over a socket, as GDB does it, by a server that keeps to the protocol and by servers that do not."""

import os
import random
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from support import REFHEAP, ask
from test_capture import Held, attaching

READ, FILE = 1, 2


class Last(bytes):
    """A reply after which the server ends."""


class Server(threading.Thread):
    """Serves the memory of a process from /proc; `spoil` may change or replace a reply, or end it all with None."""

    def __init__(self, pid, spoil=lambda n, reply: reply):
        super().__init__()
        self.memory = open("/proc/%d/mem" % pid, "rb", 0)
        self.ours, self.theirs = socket.socketpair()
        self.spoil, self.requests, self.largest, self.files = spoil, 0, 0, []

    def read(self, address, size):
        found = b""
        try:
            while len(found) < size:
                self.memory.seek(address + len(found))
                more = self.memory.read(size - len(found))
                if not more:
                    break
                found += more
        except (OSError, ValueError, OverflowError):
            pass
        return found

    def run(self):
        with self.memory, self.ours:
            while True:
                try:
                    head = self.ours.recv(16, socket.MSG_WAITALL)
                    if len(head) < 16:
                        return
                    kind, size, address = struct.unpack("<IIQ", head)
                    if kind == FILE:
                        answer = self.ours.recv(size, socket.MSG_WAITALL)
                        self.files.append(answer)
                    else:
                        answer = self.read(address, size)
                        self.largest = max(self.largest, size)
                    self.requests += 1
                    reply = self.spoil(self.requests, struct.pack("<II", kind, len(answer)) + answer)
                    if reply is None:
                        return
                    self.ours.sendall(reply)
                    if isinstance(reply, Last):
                        return
                except (BrokenPipeError, ConnectionResetError):
                    return


@attaching
class Served(Held):
    def capture(self, server, threads="", of_child=None):
        """Has refheap read from a server, and a child of it from another; returns the exit status and what it said."""
        with open("/proc/%d/maps" % self.child.pid) as maps, tempfile.TemporaryFile() as listed:
            listed.write(threads.encode())
            listed.seek(0)
            fds = [server.theirs.fileno(), maps.fileno(), listed.fileno(), *([of_child.theirs.fileno()] if of_child else [])]
            reader = subprocess.Popen(
                [REFHEAP, "capture", "--memory-socket", ",".join(str(fd) for fd in fds[:1] + fds[3:]), "--maps-fd", str(fds[1]), "--threads-fd", str(fds[2]),
                 "--process", str(self.child.pid), "-o", self.path("s.refheap")],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=fds)
            for each in filter(None, (server, of_child)):
                each.theirs.close()
                each.start()
            said = reader.communicate(timeout=60)[1].decode()
            for each in filter(None, (server, of_child)):
                each.join(60)
                self.assertFalse(each.is_alive())
        return reader.returncode, said

    def fails(self, server, text, threads=""):
        status, said = self.capture(server, threads)
        self.assertEqual(status, 2, said)
        self.assertOneLine(said)
        self.assertIn(text, said)
        self.assertEqual([n for n in os.listdir(self.folder) if n.startswith("s.refheap")], [])

    def test_the_same_graph(self):
        for seed in (1, 7, 8):
            pid = self.start(seed)
            server = Server(pid)
            status, said = self.capture(server)
            self.assertEqual(status, 0, said)
            self.check(self.path("s.refheap"), seed)
            self.assertLessEqual(server.largest, 1 << 20)
            self.assertTrue(server.files)  # asked for, with their symbols in mind
            self.ends_well()

    def test_what_is_no_memory_is_absent(self):
        """A server that has none of it: that is not the same as one that is broken."""
        self.start(1)
        self.fails(Server(self.child.pid, lambda n, reply: reply[:4] + bytes(4)), "no heap found")

    def test_it_ends_early(self):
        self.start(7)
        server = Server(self.child.pid)
        self.assertEqual(self.capture(server)[0], 0)
        os.unlink(self.path("s.refheap"))
        for after in sorted({1, 2, 3, server.requests // 2, server.requests - 1, server.requests}):
            self.fails(Server(self.child.pid, lambda n, reply: reply if n < after else None), "whoever serves the memory")

    def test_it_breaks_the_rules(self):
        self.start(7)
        wrong = {
            "another kind": lambda reply: struct.pack("<II", 3, 0),
            "more than was asked for": lambda reply: struct.pack("<II", READ, (1 << 20) + 1) + bytes(100),
            "far more": lambda reply: struct.pack("<II", READ, 0xffffffff),
            "half a head": lambda reply: Last(reply[:5]),
            "half a reply": lambda reply: Last(reply[:len(reply) // 2]),
        }
        for name, spoiled in wrong.items():
            for at in (1, 5):
                with self.subTest(name, at=at):
                    self.fails(Server(self.child.pid, lambda n, reply: reply if n < at else spoiled(reply) if n == at else None),
                               "whoever serves the memory")

    def test_what_it_serves_may_be_anything(self):
        """Damaged memory is a damaged heap, never a crash."""
        self.start(9)
        for seed in range(int(os.environ.get("SERVED_DAMAGES", "25"))):
            rng = random.Random(seed)

            def spoil(n, reply):
                reply = bytearray(reply)
                if n > 2 and rng.random() < 0.3 and len(reply) > 16:
                    for _ in range(rng.choice((1, 4, 64))):
                        at = rng.randrange(8, len(reply) - 8)
                        reply[at:at + 8] = rng.choice((bytes(8), b"\xff" * 8, rng.randbytes(8)))[:8]
                if n > 2 and rng.random() < 0.02 and reply[0] == READ:
                    kept = rng.randrange(len(reply) - 7)
                    reply = bytearray(struct.pack("<II", READ, kept)) + reply[8:8 + kept]
                return bytes(reply)
            status, said = self.capture(Server(self.child.pid, spoil))
            self.assertIn(status, (0, 2), said)
            if status:
                self.assertOneLine(said)
            else:
                ask("summary", self.path("s.refheap"))

    def test_threads(self):
        self.start(1)
        registers = " ".join(["-"] * 19)
        line = "%d %s " % (self.child.pid, registers)
        status, said = self.capture(Server(self.child.pid), line + "7ffc00000000\n4711 1 2 3\n12\n")
        self.assertEqual(status, 0, said)
        os.unlink(self.path("s.refheap"))
        for text in ("nonsense\n", line + "7ffc0000", "1 xyz\n", "1 -1\n", "1 " + "1 " * 65 + "\n", "1 " + "0" * 5000 + "\n"):
            self.fails(Server(self.child.pid), "list of threads", "1 2 3\n" + text)

    def stopped(self):
        """The one thread of the process, which waits in a system call, as --threads-fd has it."""
        fields = []
        while len(fields) < 3:  # until it waits
            with open("/proc/%d/syscall" % self.child.pid) as f:
                fields = f.read().split()
        sp, pc = fields[-2:]
        return "%d %s %s - - %s\n" % (self.child.pid, " ".join("-" * 16), pc, sp)

    def test_a_child_of_its_own(self):
        """Stacks are unwound in a child, over a socket of its own: whatever becomes of it, the rest is whole."""
        pid = self.start(7)
        for spoil, frames in ((lambda n, reply: reply, True), (lambda n, reply: None, False), (lambda n, reply: Last(reply[:3]), False),
                              (lambda n, reply: time.sleep(0.2) or reply[:-1] + b"x", None)):
            server, of_child = Server(pid), Server(pid, spoil)
            status, said = self.capture(server, self.stopped(), of_child)
            self.assertEqual(status, 0, said)
            self.check(self.path("s.refheap"), "child")
            self.assertTrue(of_child.requests)
            names = ask("sql", self.path("s.refheap"), "select 1")  # the file opens
            self.assertTrue(names["snapshot"]["complete"])
            if frames is not None:
                elements = {s["section"]: s["elements"] for s in ask("info", self.path("s.refheap"))["sections"]}
                self.assertEqual(elements.get("frames", 0) > 1, frames)
        self.ends_well()

    def test_descriptors_that_are_none(self):
        self.start(1)
        for words in (["--memory-socket", "99"], ["--memory-socket", "x"], ["--memory-socket", "0"],
                      ["--memory-socket", "0", "--memory-fd", "0"], ["--memory-socket", "0", "--pid", "1"]):
            with open("/proc/%d/maps" % self.child.pid) as maps:
                done = subprocess.run([REFHEAP, "capture", *words, "--maps-fd", str(maps.fileno()), "-o", self.path("s.refheap")],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      pass_fds=[maps.fileno()])
            self.assertEqual(done.returncode, 2, words)
            self.assertOneLine(done.stderr.decode())
            self.assertFalse(os.path.exists(self.path("s.refheap")))


if __name__ == "__main__":
    unittest.main()
