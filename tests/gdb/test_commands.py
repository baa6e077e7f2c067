"""The GDB commands, in real GDB on a live process."""

import os
import re
import subprocess
import unittest

from gdb_support import BUILD, ENDING, LOADER, SAMPLES, TARGET, GdbTestCase, ask, run


class Commands(GdbTestCase):
    STOP = ["break sample_pause", "run", "up"]

    def test_answers_are_those_of_the_captured_file(self):
        snapshot = self.path("stop.refheap")
        questions = [["generations"], ["summary"], ["cycles"], ["cycles", "--generation", "1"]]
        self.gdb(os.path.join(SAMPLES, "proxy"), *self.STOP, "refheap generations", "refheap summary", "refheap cycles",
                 "refheap cycles -generation 1", "refheap referrers -generation 2 -- conn->peer",
                 "refheap referrers -- conn->peer", "refheap referents conn", "refheap object -- conn->buffer",
                 "refheap why conn->peer", "refheap why -paths 3 -- conn->peer", "refheap why -depth 2 type:buffer",
                 "refheap summary -waste", "refheap capture " + snapshot, "print/x (long) conn->peer",
                 "print/x (long) conn", "print/x (long) conn->buffer")
        peer, conn, buffer = (re.search(r"0x\w+", self.output("print/x (long) " + e)).group() for e in (
            "conn->peer", "conn", "conn->buffer"))
        for question in questions:
            command = "refheap " + " ".join(question).replace("--", "-")
            self.assertEqual(self.output(command), run(question[0], snapshot, *question[1:])[0])
        self.assertEqual(self.output("refheap referrers -generation 2 -- conn->peer"),
                         run("referrers", snapshot, peer, "--generation", "2")[0])
        self.assertIn("none", self.output("refheap referrers -generation 2 -- conn->peer"))
        self.assertEqual(self.output("refheap referrers -- conn->peer"), run("referrers", snapshot, peer)[0])
        self.assertIn('connection', self.output("refheap referrers -- conn->peer"))
        self.assertEqual(self.output("refheap referents conn"), run("referents", snapshot, conn)[0])
        self.assertEqual(self.output("refheap object -- conn->buffer"), run("object", snapshot, buffer)[0])
        self.assertEqual(self.output("refheap why conn->peer"), run("why", snapshot, peer)[0])
        self.assertIn("root active", self.output("refheap why conn->peer"))
        self.assertEqual(self.output("refheap why -paths 3 -- conn->peer"), run("why", snapshot, peer, "--paths", "3")[0])
        merged = self.output("refheap why -depth 2 type:buffer")
        self.assertIn("-> ", merged)
        self.assertIn("(-depth 0 shows more)", merged)
        self.assertEqual(self.output("refheap summary -waste"), run("summary", snapshot, "--waste")[0])
        captured = ask("info", snapshot)
        self.assertEqual(captured["captured"]["how"], "from outside, live")
        self.assertEqual(captured["process"]["executable"], os.path.join(SAMPLES, "proxy"))

    def test_sql_over_this_stop(self):
        snapshot = self.path("stop.refheap")
        query = "select type, count(*) n, 'a -- b' note from objects where garbage = 0 group by type"
        self.gdb(os.path.join(SAMPLES, "proxy"), *self.STOP, "refheap sql " + query, "refheap sql -limit 2 -- " + query,
                 "refheap sql", "refheap sql .schema edges", "refheap sql -timeout 0.3 select 1", "print/x (long) conn->peer",
                 "refheap sql selct", "refheap sql -timeout 0.3 with recursive t(x) as (select 1 union all select x from t) "
                 "select count(*) from t", "refheap sql attach 'x' as y", "refheap capture " + snapshot,
                 "complete refheap sql -t", "complete refheap sql select * from ob")
        self.assertEqual(self.output("refheap sql " + query), run("sql", snapshot, query, "--limit", "50")[0])
        limited = self.output("refheap sql -limit 2 -- " + query)
        self.assertEqual(limited, run("sql", snapshot, query, "--limit", "2")[0].replace("--limit", "-limit"))
        self.assertIn("more row", limited)
        self.assertEqual(self.output("refheap sql"), run("sql", snapshot, ".schema")[0])
        self.assertEqual(self.output("refheap sql .schema edges"), run("sql", snapshot, ".schema edges")[0])
        self.assertEqual(self.output("refheap sql -timeout 0.3 select 1"), "1\n1\n")
        self.assertIn("syntax error", self.error("refheap sql selct"))
        self.assertIn("longer than 0.3 s; -timeout gives", self.error(
            "refheap sql -timeout 0.3 with recursive t(x) as (select 1 union all select x from t) select count(*) from t"))
        self.assertIn("not authorized", self.error("refheap sql attach 'x' as y"))
        self.assertFalse(os.path.exists(self.path("x")))
        self.assertIn("refheap sql -timeout", self.output("complete refheap sql -t"))
        self.assertIn("from objects", self.output("complete refheap sql select * from ob"))

    def test_a_condition_is_a_set(self):
        snapshot, chosen = self.path("stop.refheap"), "sql:type = 'buffer' and garbage = 0 and label like '%'"
        self.gdb(os.path.join(SAMPLES, "proxy"), *self.STOP, "refheap why " + chosen,
                 "refheap referrers -limit 0 -- " + chosen,
                 "refheap why sql:nonsense", "refheap capture " + snapshot)
        self.assertEqual(self.output("refheap why " + chosen), run("why", snapshot, chosen)[0])
        self.assertEqual(self.output("refheap referrers -limit 0 -- " + chosen), run("referrers", snapshot, chosen, "--limit", "0")[0])
        self.assertIn("no such column: nonsense", self.error("refheap why sql:nonsense"))

    def test_values_may_be_left_out(self):
        values = os.path.join(BUILD, "tests", "gdb", "values")
        self.gdb(values, "break pause_here", "run", "refheap capture all.refheap", "refheap capture -no-values less.refheap",
                 "complete refheap capture -")
        text = "select count(*) n from objects where type = 'str' and label like '%hello%'"
        self.assertEqual([ask("sql", self.path(n + ".refheap"), text)["rows"] for n in ("all", "less")], [[[1]], [[0]]])
        self.assertIn("refheap capture -no-values", self.output("complete refheap capture -"))

    def test_no_code_of_the_program_runs(self):
        """All questions together leave every byte of the program's writable memory as it was."""
        copy = "dump binary memory %s &rh_control ((char *) &rh_control) + sizeof(rh_control)"
        self.gdb(os.path.join(SAMPLES, "proxy"), *self.STOP, copy % self.path("a"), "info registers rip rsp",
                 "refheap cycles", "refheap why conn", "refheap render -o cycles.svg", "refheap capture x.refheap",
                 copy % self.path("b"), "info registers rip rsp ")
        with open(self.path("a"), "rb") as a, open(self.path("b"), "rb") as b:
            self.assertEqual(a.read(), b.read())
        self.assertEqual(self.output("info registers rip rsp"), self.output("info registers rip rsp "))

    def test_render_draws_this_stop(self):
        self.gdb(os.path.join(SAMPLES, "proxy"), *self.STOP, "refheap render -o cycles.svg",
                 "refheap render -o who.dot -depth 3 referrers conn->peer", "refheap render -o why.png why -- conn->buffer",
                 "refheap render -o below.dot dominators conn", "refheap render -o generations.dot generations",
                 "refheap capture stop.refheap", "refheap render -o diff.dot diff stop.refheap",
                 "refheap render cycles", "refheap render -o cycles.xyz")
        for name, text in (("below", "what is kept by connection"), ("generations", "generation 2"), ("diff", "since stop.refheap")):
            with open(self.path(name + ".dot")) as f:
                self.assertIn(text, f.read())
        with open(self.path("cycles.svg")) as f:
            self.assertIn("connection", f.read())
        with open(self.path("who.dot")) as f:
            self.assertIn("root active", f.read())
        self.assertGreater(os.path.getsize(self.path("why.png")), 1000)
        self.assertIn("-o FILE.svg", self.error("refheap render cycles"))
        self.assertIn("format", self.error("refheap render -o cycles.xyz"))

    def test_snapshot_is_dropped_when_the_program_moves(self):
        self.gdb(TARGET, "break pause_here", "run", "refheap status", "refheap summary -type pair", "refheap status ",
                 "next", "refheap status  ", "break allocate", "continue", "continue", "refheap cycles",
                 "continue", "refheap cycles ", "refheap status   ")
        self.assertIn("when first asked", self.output("refheap status"))
        self.assertIn("90 objects", self.output("refheap status "))
        self.assertIn("when first asked", self.output("refheap status  "))
        self.assertIn("would find 40 unreachable", self.output("refheap cycles"))
        self.assertIn("no garbage", self.output("refheap cycles "))

    def test_audit_and_diff(self):
        """The stop beside what was captured at an earlier one, and beside a file that is loaded."""
        self.gdb(TARGET, "break pause_here", "run", "refheap capture a.refheap", "refheap audit", "refheap audit -no-fold",
                 "refheap diff a.refheap", "break allocate", "continue", "continue", "continue", "refheap diff a.refheap ",
                 "refheap diff -by generation -attributed a.refheap", "refheap diff -objects gone -limit 3 -- a.refheap",
                 "refheap capture b.refheap", "refheap diff nowhere.refheap", "refheap diff", "refheap diff -by heap a.refheap",
                 "refheap load a.refheap", "refheap diff b.refheap", "complete refheap diff -att", "help refheap diff")
        first, second = self.path("a.refheap"), self.path("b.refheap")
        self.assertEqual(self.output("refheap audit"), run("audit", first)[0])
        self.assertEqual(self.output("refheap audit -no-fold"), run("audit", first, "--no-fold")[0].replace("--limit", "-limit"))
        self.assertIn("0 new, 90 stayed; 0 gone", self.output("refheap diff a.refheap"))
        self.assertTrue(ask("diff", first, second)["same_process"])
        self.assertEqual(self.output("refheap diff a.refheap "), run("diff", first, second)[0])
        self.assertIn("40 gone", self.output("refheap diff a.refheap "))
        self.assertEqual(self.output("refheap diff -by generation -attributed a.refheap"),
                         run("diff", first, second, "--by", "generation", "--attributed")[0])
        self.assertIn("more objects (-limit 0 shows all)", self.output("refheap diff -objects gone -limit 3 -- a.refheap"))
        self.assertIn("nowhere.refheap: cannot open it", self.error("refheap diff nowhere.refheap"))
        self.assertIn("name a file", self.error("refheap diff"))
        self.assertIn("-by cannot be", self.error("refheap diff -by heap a.refheap"))
        self.assertTrue(self.output("refheap diff b.refheap").startswith("[file "))
        self.assertIn("refheap diff -attributed", self.output("complete refheap diff -att"))
        self.assertIn("-objects WHICH", self.output("help refheap diff"))

    def test_loaded_file_answers_and_is_named(self):
        run_sample = subprocess.run([os.path.join(SAMPLES, "two_lists"), self.path("lists.refheap")], stdout=subprocess.PIPE)
        self.assertEqual(run_sample.returncode, 0)
        with open(self.path("bad.refheap"), "w") as f:
            f.write("not a snapshot")
        self.gdb(TARGET, "refheap load lists.refheap", "refheap cycles", "refheap status", "refheap load nowhere",
                 "refheap load bad.refheap", "refheap load", "refheap cycles ")
        self.assertIn("lists.refheap, 2 objects", self.output("refheap load lists.refheap"))
        self.assertTrue(self.output("refheap cycles").startswith("[file "), self.output("refheap cycles"))
        self.assertIn("lists.refheap", self.output("refheap status"))
        self.assertIn("cannot open it", self.error("refheap load nowhere"))
        self.assertIn("not a refheap snapshot", self.error("refheap load bad.refheap"))
        self.assertIn("no program is being debugged", self.error("refheap cycles "))

    def test_errors_are_one_line(self):
        expected = {
            "refheap object null_pointer": "null_pointer is NULL",
            "refheap object real": "is of type double",
            "refheap object nonsense": 'No symbol "nonsense"',
            "refheap object": "name an object",
            "refheap object embedded_not": "there is no object at",
            "refheap object root:nobody": 'there is no root "nobody"',
            "refheap cycles -generation 7": "-generation cannot be",
            "refheap cycles -generation": "-generation requires an argument",
            "refheap cycles -frobnicate": "Unrecognized option at: -frobnicate",
            "refheap summary junk": "Junk after the options",
            "refheap referrers -g 2 -d 0 -limit 3 -k bogus -- top": "-kind cannot be",
            "refheap frobnicate": 'Undefined refheap command: "frobnicate"',
            "refheap capture": "name a file",
            "refheap capture /nowhere/at/all": "cannot create a file there",
            "refheap dump -now -wait x": "exclude each other",
            "refheap render -o x.svg cycle:99": "there is no cycle",
            "refheap render why top -o x.svg": "options stand before what is drawn",
        }
        self.gdb(TARGET, "break pause_here", "run", *expected)
        for command, text in expected.items():
            self.assertIn(text, self.error(command))

    def test_other_targets_are_refused_clearly(self):
        self.gdb("/bin/true", "refheap status", "refheap cycles", "starti", "refheap cycles ")
        self.assertIn("none", self.output("refheap status"))
        self.assertIn("no program is being debugged", self.error("refheap cycles"))
        self.assertIn("no heap found", self.error("refheap cycles "))

    def test_settings(self):
        self.gdb(TARGET, "show refheap", "set refheap row-limit 3", "show refheap row-limit", "break pause_here", "run",
                 "refheap referrers top", "refheap referrers -limit 5 top", "set refheap row-limit unlimited",
                 "refheap referrers top ", "set refheap program /nowhere", "refheap cycles", "set refheap program",
                 "set refheap capture-method descriptors", "refheap generations")
        for name in ("capture-method", "program", "row-limit", "timeout"):
            self.assertIn(name, self.output("show refheap"))
        self.assertIn("3", self.output("show refheap row-limit"))
        rows = [self.output("refheap referrers top").count("strong"),
                self.output("refheap referrers -limit 5 top").count("strong"),
                self.output("refheap referrers top ").count("strong")]
        self.assertEqual(rows, [3, 5, 49])
        self.assertIn("cannot be run", self.error("refheap cycles"))

    def test_convenience_functions(self):
        self.gdb(TARGET, "break pause_here", "run", "print $refheap_count(top)", "print $refheap_generation(top)",
                 "print $refheap_type(top)", "print $refheap_garbage(top)", "print $refheap_garbage(0)",
                 "print $refheap_count(&embedded_not)", "refheap object -- top")
        shown = self.output("refheap object -- top")
        count = re.search(r"refcount\s+(\d+) =", shown).group(1)
        self.assertRegex(self.output("print $refheap_count(top)"), r"= %s\n" % count)
        self.assertRegex(self.output("print $refheap_generation(top)"), r"= (0|1|2)\n")
        self.assertRegex(self.output("print $refheap_type(top)"), r'= "pair"\n')
        self.assertRegex(self.output("print $refheap_garbage(top)"), r"= 0\n")
        self.assertIn("which is the address of no object", self.error("print $refheap_garbage(0)"))

    def test_conditions_of_breakpoints(self):
        """Each time a breakpoint is come to, they say how it is then; and the program goes on as it would have."""
        for condition, read, expected in (("$refheap_count(top) == 10", "print top->object.refcount", "= 10\n"),
                                          ("$refheap_garbage(top) == 0 && number == 7", "print number", "= 7\n"),
                                          ('$_streq($refheap_type(top), "pair")', "print number", "= 1\n"),
                                          ("$refheap_generation(top) == 0 && number > 3", "print number", "= 4\n")):
            _, said = self.gdb(TARGET, "break make if top && " + condition, "run", read, "print top->object.refcount",
                               "print $refheap_count(top)", "refheap summary", "delete", "continue")
            self.assertTrue(self.output(read).endswith(expected), (condition, self.output(read)))
            self.assertEqual(self.output("print $refheap_count(top)").split()[-1],
                             self.output("print top->object.refcount").split()[-1])
            self.assertIn("pair", self.output("refheap summary"))
            self.assertIn(ENDING, said)

    def test_functions_say_what_the_snapshot_says(self):
        """What is read in the object itself is what the captured file has."""
        values = os.path.join(BUILD, "tests", "gdb", "values")
        names = "text number none tuple list dict klass instance exception weakref conn".split()
        asked = ["print $refheap_%s(%s)" % (f, n) for n in names for f in ("count", "generation", "type")]
        self.gdb(values, "break pause_here", "run", "up", *asked, "refheap capture v.refheap", "refheap load v.refheap",
                 *(a + " " for a in asked))
        for command in asked:
            self.assertEqual(*(re.sub(r"^\$\d+", "", self.output(c)) for c in (command, command + " ")), command)

    def test_help_alias_and_completion(self):
        self.gdb(TARGET, "help refheap", "help rh cycles", "help refheap referrers", "complete refheap ref",
                 "complete rh cycles -", "complete refheap referrers -gen", "complete refheap referrers -- to",
                 "complete refheap capture ", "apropos heap")
        self.assertIn("refheap cycles -- ", self.output("help refheap"))
        self.assertIn("-generation N", self.output("help rh cycles"))
        self.assertIn("conn->peer", self.output("help refheap referrers"))
        self.assertEqual(self.output("complete refheap ref").split("\n")[:2], ["refheap referents", "refheap referrers"])
        self.assertIn("rh cycles -no-fold", self.output("complete rh cycles -"))
        self.assertEqual(self.output("complete refheap referrers -gen"), "refheap referrers -generation\n")
        self.assertIn("refheap referrers -- top\n", self.output("complete refheap referrers -- to"))

    def test_loader_may_be_sourced_again(self):
        self.gdb(TARGET, "source " + LOADER, "refheap status", "python import sys; print('refheap_gdb' in sys.modules)")
        self.assertIn("target", self.output("refheap status"))

    def test_gdb_init_prints_the_line_that_loads_it(self):
        line = run("gdb-init")[0].strip()
        self.assertEqual(line, "source " + LOADER)


if __name__ == "__main__":
    unittest.main()
