"""tests/SCENARIOS.md says which test answers to which of CPython's: each it names is there and is run, and each that is
there is named."""

import glob
import os
import re
import unittest

from support import TESTS

DEFINED = re.compile(r"^static void (scenario__\w+)\(void \*\*state\)$", re.M)
RUN = re.compile(r"^\s*cmocka_unit_test\((scenario__\w+)\),$", re.M)
SECTION = re.compile(r"^## (test_\w+)\.py\n\n(\d+) methods, (\d+) with a test\.\n\n(.*?)(?=^## |\Z)", re.M | re.S)
TOTAL = re.compile(r"^(\d+) methods: (\d+) have a test here, (\d+) have none\.$", re.M)


def rows(text):
    """The cells of a table's rows, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


class Scenarios(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(TESTS, "SCENARIOS.md")) as f:
            cls.text = f.read()
        cls.sections = {name: (int(methods), int(answered), rows(table))
                        for name, methods, answered, table in SECTION.findall(cls.text)}
        cls.rows = [row for _, _, table in cls.sections.values() for row in table]
        cls.sources = {}
        for path in glob.glob(os.path.join(TESTS, "unit", "test_*_scenarios.c")):
            with open(path) as f:
                cls.sources[os.path.basename(path)] = f.read()

    def named(self):
        return [row[2].strip("`") for row in self.rows if row[2] != "none"]

    def test_each_row_has_a_test_or_a_reason(self):
        self.assertGreater(len(self.rows), 100)
        for row in self.rows:
            self.assertEqual(len(row), 4, row)
            self.assertRegex(row[0], r"^\w+$")
            self.assertRegex(row[1], r"^test_\w+$")
            self.assertRegex(row[2], r"^(`scenario__\w+`|none)$")
            if row[2] == "none":
                self.assertTrue(row[3], row)
        for name, (_, _, table) in self.sections.items():
            methods = [(row[0], row[1]) for row in table]
            self.assertEqual(len(methods), len(set(methods)), name)

    def test_there_are_as_many_rows_as_it_says(self):
        self.assertEqual(sorted(self.sections), ["test_finalization", "test_gc", "test_weakref"])
        for name, (methods, answered, table) in self.sections.items():
            self.assertEqual(len(table), methods, name)
            self.assertEqual(sum(row[2] != "none" for row in table), answered, name)
        said = [int(n) for n in TOTAL.search(self.text).groups()]
        self.assertEqual(said, [len(self.rows), len(self.named()), len(self.rows) - len(self.named())])

    def test_each_test_named_is_there_and_each_there_is_named(self):
        named = self.named()
        there = [name for source in self.sources.values() for name in DEFINED.findall(source)]
        self.assertEqual(len(named), len(set(named)), "one test answers to one method")
        self.assertEqual(sorted(named), sorted(there))

    def test_each_test_there_is_run(self):
        for name, source in self.sources.items():
            self.assertEqual(sorted(RUN.findall(source)), sorted(DEFINED.findall(source)), name)

    def test_the_files_are_as_it_says(self):
        said = {row[0].strip("`"): int(row[1]) for row in rows(self.text[:self.text.index("\n## ")])}
        self.assertEqual(said, {name: len(DEFINED.findall(source)) for name, source in self.sources.items()})


if __name__ == "__main__":
    unittest.main()
