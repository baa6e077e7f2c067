"""Stopped in awkward places: the probe reads every one, a dump works or is refused, and the program ends as it would have."""

import os
import shutil
import subprocess
import unittest

from gdb_support import BUILD, ENDING, SAMPLES, TARGET, GdbTestCase, ask, run

DEEP = os.path.join(BUILD, "tests", "gdb", "deep")


class Stops(GdbTestCase):
    def check_ending(self, said):
        self.assertIn(ENDING, said)

    def objects_in(self, name):
        return ask("info", self.path(name))["snapshot"]["objects"]

    def test_dump_at_the_next_safe_point(self):
        _, said = self.gdb(TARGET, "break pause_here", "run", "refheap dump a.refheap", "refheap dump b.refheap",
                           "continue", "continue", "continue")
        self.assertIn("next safe point", self.output("refheap dump a.refheap"))
        self.assertIn("still open", self.error("refheap dump b.refheap"))
        self.assertIn("the program wrote " + self.path("a.refheap"), "".join(r["output"] for r in self.results))
        run("verify", self.path("a.refheap"))
        self.assertEqual(ask("info", self.path("a.refheap"))["captured"]["how"], "by the program, at a safe point")
        self.check_ending(said)

    def test_dump_and_wait_for_it(self):
        _, said = self.gdb(TARGET, "break pause_here", "run", "delete", "refheap dump -wait a.refheap", "bt",
                           "refheap dump -wait /nowhere/at/all", "continue")
        self.assertIn("the program wrote", self.output("refheap dump -wait a.refheap"))
        self.assertIn("rh_dump_done", self.output("bt"))
        self.assertIn("No such file or directory", self.output("refheap dump -wait /nowhere/at/all"))
        run("verify", self.path("a.refheap"))
        self.check_ending(said)

    def test_dump_now_by_a_call(self):
        _, said = self.gdb(TARGET, "break pause_here", "run", "info registers rip rsp", "refheap dump -now a.refheap",
                           "info registers rip rsp ", "refheap capture b.refheap", "refheap dump -now /nowhere/at/all",
                           "set may-call-functions off", "refheap dump -now c.refheap", "delete", "continue")
        run("verify", self.path("a.refheap"))
        self.assertEqual(self.output("info registers rip rsp"), self.output("info registers rip rsp "))
        self.assertEqual(self.objects_in("a.refheap"), self.objects_in("b.refheap"))
        self.assertIn("No such file or directory", self.error("refheap dump -now /nowhere/at/all"))
        self.assertIn("may-call-functions is off", self.error("refheap dump -now c.refheap"))
        self.check_ending(said)

    def test_dump_now_is_not_stopped_by_breakpoints(self):
        _, said = self.gdb(TARGET, "break pause_here", "run", "break rh_dump_now", "catch syscall mmap",
                           "refheap dump -now a.refheap", "info breakpoints", "delete", "continue")
        run("verify", self.path("a.refheap"))
        self.assertEqual(self.output("info breakpoints").count(" y "), 3)
        self.check_ending(said)

    def test_dump_now_where_a_system_call_begins(self):
        """What is called from there would end the system call, and the program is told that there is none: so it is refused."""
        _, said = self.gdb(TARGET, "break pause_here", "run", "catch syscall tgkill", "continue", "refheap dump -now a.refheap",
                           "continue", "refheap dump -now b.refheap", "delete", "continue")
        self.assertIn("the beginning of a system call", self.error("refheap dump -now a.refheap"))
        run("verify", self.path("b.refheap"))
        self.check_ending(said)

    def test_inside_malloc_of_the_program(self):
        _, said = self.gdb(TARGET, "break use_malloc", "run", "break malloc", "continue", "stepi 20",
                           "refheap capture a.refheap", "refheap dump -now b.refheap", "refheap dump c.refheap", "delete",
                           "continue")
        self.assertEqual(self.objects_in("a.refheap"), 90)
        self.assertEqual(self.objects_in("b.refheap"), 90)
        self.assertEqual(self.objects_in("c.refheap"), 90)
        self.check_ending(said)

    def test_inside_malloc_of_the_library(self):
        """The library calls malloc while its heap is busy: a call is refused, outside reading and a request are not."""
        _, said = self.gdb(TARGET, "set environment RH_MALLOC 1", "break allocate", "run", "break malloc", "continue", "stepi 20",
                           "refheap capture a.refheap", "refheap dump -now b.refheap", "refheap dump c.refheap", "delete",
                           "continue")
        self.assertEqual(self.objects_in("a.refheap"), 90)
        self.assertIn("being changed at this moment", self.error("refheap dump -now b.refheap"))
        self.assertFalse(os.path.exists(self.path("b.refheap")))
        run("verify", self.path("c.refheap"))
        self.check_ending(said)

    def test_in_a_signal_handler(self):
        _, said = self.gdb(TARGET, "break on_signal", "run",
                           "refheap capture a.refheap", "refheap dump -now b.refheap", "delete", "continue")
        self.assertEqual(self.objects_in("a.refheap"), 90)
        self.assertEqual(self.objects_in("b.refheap"), 90)
        self.check_ending(said)

    def test_anywhere_inside_the_collector(self):
        """Step by step through a collection: every object is seen at every stop until it is freed, and its generation."""
        watch = "watch -l *(int *) ((char *) heap + rh_control.layout.heap_collecting)"
        steps, commands = 40, []
        for n in range(steps):
            commands += ["refheap capture c%d.refheap" % n, "stepi 97"]
        _, said = self.gdb(TARGET, "break allocate", "run", "delete", watch, "continue", *commands,
                           "refheap dump -now now.refheap", "delete", "continue")
        for n in range(steps):
            self.output("refheap capture c%d.refheap" % n)
            self.assertEqual(self.objects_in("c%d.refheap" % n), 90, n)
            heap = ask("info", self.path("c%d.refheap" % n))["heaps"][0]
            self.assertTrue(heap["collecting"])
            self.assertFalse(heap["partial"])
            generations = {g["generation"]: g["objects"] for g in ask("generations", self.path("c%d.refheap" % n))["generations"]}
            self.assertEqual(generations[0], 90, n)
            # Until finalizers and clearing, the garbage can be told by the rule as ever.
            self.assertEqual(ask("cycles", self.path("c%d.refheap" % n))["garbage"]["objects"], 40, n)
        self.assertIn("being changed", self.error("refheap dump -now now.refheap"))
        self.check_ending(said)

    def test_after_a_stack_overflow(self):
        """There is no room for a call; reading needs none. The program dies as it would have, of the same signal."""
        _, said = self.gdb(DEEP, "set args overflow", "run", "refheap capture a.refheap", "info registers rip rsp",
                           "refheap dump -now b.refheap", "info registers rip rsp ", "refheap dump c.refheap", "continue")
        self.assertEqual(self.objects_in("a.refheap"), 11)
        self.assertIn("there is no stack for it", self.error("refheap dump -now b.refheap"))
        self.assertEqual(self.output("info registers rip rsp"), self.output("info registers rip rsp "))
        self.assertIn("Program terminated with signal SIGSEGV", said + self.output("continue"))

    def test_another_thread_holds_a_lock(self):
        """One that stands inside malloc, and that the owner of the heap waits for: neither reading nor a call by the owner minds."""
        _, said = self.gdb(DEEP, "set args lock", "break holding_the_lock", "run", "break malloc", "continue", "stepi 10",
                           "refheap capture a.refheap", "refheap dump -now b.refheap", "thread 1", "refheap dump -now c.refheap",
                           "thread", "delete", "continue")
        self.assertEqual(self.objects_in("a.refheap"), 11)
        self.assertIn("select the thread that uses it", self.error("refheap dump -now b.refheap"))
        self.assertEqual(self.objects_in("c.refheap"), 11)
        self.assertIn("Current thread is 1", self.output("thread"))
        self.assertIn("leaked 0", said)

    def test_without_symbols(self):
        stripped = self.path("stripped")
        shutil.copy(os.path.join(SAMPLES, "proxy"), stripped)
        subprocess.run(["strip", stripped], check=True)
        environment = "set environment LD_LIBRARY_PATH " + BUILD
        self.gdb(stripped, environment, "break rh_dump_now", "break rh_collect", "run", "refheap cycles",
                 "refheap dump a.refheap", "delete", "continue")
        self.assertIn("A collection of generation 2", self.output("refheap cycles"))
        run("verify", self.path("a.refheap"))


if __name__ == "__main__":
    unittest.main()
