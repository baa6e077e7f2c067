"""Tests of second_reader: checksums, round trips, canonical text, command line, hostile bytes."""

import os
import random
import struct
import subprocess
import sys
import tempfile
import unittest

from second_reader import (
    Edge, FormatError, Heap, Object, Process, Root, Site, Snapshot, Type, Value, canonical, read_snapshot,
    snapshot_bytes, write_snapshot)
from second_reader.checksum import crc32c
from second_reader_examples import (
    FULL, MIB, NONE, RawFile, full_snapshot, needs_zstd, random_snapshot, tiny_snapshot)

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Crc(unittest.TestCase):
    @staticmethod
    def bitwise(data):
        crc = 0xFFFFFFFF
        for byte in data:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        return crc ^ 0xFFFFFFFF

    def test_the_documents_example(self):
        self.assertEqual(crc32c(b"123456789"), 0xE3069283)
        self.assertEqual(crc32c(b""), 0)

    def test_chained(self):
        data = bytes(range(256)) * 2
        for cut in (0, 1, 63, 512):
            self.assertEqual(crc32c(data[cut:], crc32c(data[:cut])), self.bitwise(data))


class RoundTrips(unittest.TestCase):
    def check(self, snapshot, **options):
        self.assertEqual(read_snapshot(snapshot_bytes(snapshot, **options)), snapshot)

    def test_defaults(self):
        self.check(Snapshot())
        self.check(tiny_snapshot())
        self.check(full_snapshot())

    def test_random(self):
        for seed in range(150):
            with self.subTest(seed=seed):
                self.check(random_snapshot(seed))

    def test_random_cut_and_shuffled(self):
        for seed in range(100):
            with self.subTest(seed=seed):
                self.check(random_snapshot(seed), rows_per_block=7, edges_per_block=5, elements_per_block=3,
                           shuffle_blocks=True, seed=seed)

    @needs_zstd
    def test_random_packed_and_varied(self):
        for seed in range(150):
            with self.subTest(seed=seed):
                self.check(random_snapshot(seed), rows_per_block=20, edges_per_block=20, elements_per_block=4,
                           compress=True, shuffle_blocks=True, vary=True, seed=seed)

    def large_snapshot(self):
        big = 2**64 - 1
        s = Snapshot(heaps=[Heap()], types=[Type()], sites=[Site()])
        s.objects = [Object(0, big - i, 0, 2**40, -2**63, 0x3FC, big, 1, big, big, big,
                            [Edge(big, 0x23, big)] * 3) for i in range(12000)]
        s.values = [Value(1, 7, bytes(400_000))] * 4
        return s

    def test_large_blocks(self):
        """Blocks of every column at its widest stay within the longest payload."""
        self.check(self.large_snapshot(), rows_per_block=10**6, edges_per_block=10**6,
                   elements_per_block=10**6)

    @needs_zstd
    def test_large_blocks_varied(self):
        self.check(self.large_snapshot(), rows_per_block=10**6, edges_per_block=10**6, compress=True,
                   vary=True)

    def test_longest_text_and_value(self):
        s = Snapshot(process=Process(host=b"x" * 1_048_560), values=[Value(1, 7, b"x" * 1_048_552)])
        self.check(s)
        s.process.host += b"x"
        with self.assertRaises(ValueError):
            snapshot_bytes(s)
        s.process.host = b""
        s.values[0] = Value(1, 7, b"x" * 1_048_553)
        with self.assertRaises(ValueError):
            snapshot_bytes(s)

    @needs_zstd
    def test_packed_within_the_ratio(self):
        s = Snapshot(process=Process(host=bytes(MIB - 16)))
        packed = RawFile(snapshot_bytes(s, compress=True))
        self.assertEqual(packed.block(2).flags, 1)  # better than 256 to 1: stored plain
        self.assertEqual(packed.block(1).flags, 3)
        self.check(s, compress=True)

    def test_written_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.refheap")
            write_snapshot(full_snapshot(), path, rows_per_block=1)
            self.assertEqual(read_snapshot(path), full_snapshot())

    def test_unequal_snapshots(self):
        other = full_snapshot()
        other.objects[0].edges[4].label = b"other"
        self.assertNotEqual(read_snapshot(FULL), other)


class Dangling(unittest.TestCase):
    def test_counts(self):
        s = full_snapshot()
        self.assertEqual(s.dangling(), (1, 0))
        s.roots += [Root(0x999), Root(0x100), Root(0x998)]
        self.assertEqual(read_snapshot(snapshot_bytes(s)).dangling(), (1, 2))


class CanonicalText(unittest.TestCase):
    def test_full(self):
        lines = list(canonical(read_snapshot(FULL)))
        uuid = bytes(range(16)).hex()
        self.assertEqual(lines[0], "header 1 0 %s -5 0" % uuid)
        self.assertEqual(lines[1], "process 7 612062 2f61 3 772031 68 62 10 9 8 7 6")
        self.assertEqual(lines[2], "module 0x1000 0x2000 2f6c6962 010203")
        self.assertEqual(lines[3], "module 0x3000 0x4000 2f61 -")
        self.assertEqual(lines[4], "heap 0 6f6e65 31 6e 3 2 4 0x10 1 2 3 4")
        self.assertEqual(lines[6], "generation 0 0 1 2 3 4 5 6")
        for line in ("type 0 54 6d 31 0x20 16 8 0 3", "field 0 1 - 0 0", "field 0 2 67 0 0",
                     "object 0 0x100 0 48 3 24 9 2 4 5 77", "edge 0x110 51 512", "edge 0x100 67 61747472",
                     "edge 0x100 65 636170+9", "object 0 0x110 1 24 -2 1020 0 0 0 0 0",
                     "value 0x110 6 5 78", "value 0x110 1 0 -", "root 0x100 0x8 72 1 0 1 8 3 0 4",
                     "root 0x200 0x0 - %d %d %d 1 0 1 0" % (NONE, NONE, NONE), "thread 44 6d61696e 1 2",
                     "frame 0 0 66 662e63 3 4 5 0x100", "site %d 66 662e63 3 0 0x1234" % NONE,
                     "diagnostic 2 7568 0x100 1"):
            self.assertIn(line, lines)
        self.assertEqual(lines[-1], "trailer %d 3 9 8 2" % (48 + 24 + 2**40))
        kinds = [line.split()[0] for line in lines]
        order = ("header process module heap generation type field object edge value root thread frame site "
                 "diagnostic trailer").split()
        firsts = [kinds.index(kind) for kind in order]
        self.assertEqual(firsts, sorted(firsts))

    @needs_zstd
    def test_how_the_file_was_cut_does_not_show(self):
        for seed in range(20):
            s = random_snapshot(seed)
            data = snapshot_bytes(s, rows_per_block=3, edges_per_block=3, shuffle_blocks=True, compress=True,
                                  vary=True, seed=seed)
            self.assertEqual(list(canonical(s)), list(canonical(read_snapshot(data))))

    def test_an_empty_text_as_a_label(self):
        s = tiny_snapshot()
        s.objects[0].edges = [Edge(16, 0x43, b"")]
        self.assertIn("edge 0x10 67 -", canonical(read_snapshot(snapshot_bytes(s))))


class CommandLine(unittest.TestCase):
    def run_on(self, path):
        done = subprocess.run([sys.executable, "-m", "second_reader", path], cwd=TESTS,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return done.returncode, done.stdout.decode(), done.stderr.decode().replace(path, "F")

    def run_on_bytes(self, data):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "f")
            with open(path, "wb") as file:
                file.write(data)
            return self.run_on(path)

    def test_prints_the_text(self):
        text = "\n".join(canonical(read_snapshot(FULL))) + "\n"
        self.assertEqual(self.run_on_bytes(FULL), (0, text, ""))

    def test_reports_an_error(self):
        self.assertEqual(self.run_on_bytes(FULL[:-8]), (
            2, "", "F: truncated in a block at section trailer, offset %d\n" % (len(FULL) - 208)))

    def test_no_file(self):
        with tempfile.TemporaryDirectory() as folder:
            status, out, error = self.run_on(os.path.join(folder, "none"))
        self.assertEqual((status, out), (1, ""))
        self.assertTrue(error)


class Hostile(unittest.TestCase):
    """Bytes of any kind are read or refused with FormatError."""

    def read(self, data):
        try:
            read_snapshot(data)
        except FormatError as error:
            self.assertTrue(str(error))

    def test_every_prefix_is_truncated(self):
        for length in range(len(FULL)):
            with self.assertRaises(FormatError) as caught:
                read_snapshot(FULL[:length])
            self.assertIn("truncated", caught.exception.message)

    def test_flipped_bits_are_noticed(self):
        rng = random.Random(2)
        for _ in range(600):
            data = bytearray(FULL)
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            with self.assertRaises(FormatError):
                read_snapshot(data)

    @staticmethod
    def odd_number(rng, bits):
        return rng.choice((0, 1, 5, 2**bits - 1, 2**(bits - 1), rng.getrandbits(bits), rng.getrandbits(4)))

    def test_damaged_block_headers(self):
        """Damage to the fields of block headers below right CRCs."""
        rng = random.Random(3)
        fields = {"sequence": 32, "section": 16, "flags": 16, "raw": 32, "stored": 32, "count": 32,
                  "first": 64, "reserved": 32}
        for turn in range(1500):
            file = RawFile(FULL)
            block = rng.choice(file.blocks + [file.trailer])
            for name in rng.sample(sorted(fields), rng.choice((1, 1, 3))):
                setattr(block, name, self.odd_number(rng, fields[name]))
            self.read(file.bytes())

    def damage_payloads(self, source, seed, turns):
        rng = random.Random(seed)
        for _ in range(turns):
            file = RawFile(source)
            block = rng.choice(file.blocks)
            for _ in range(rng.choice((1, 1, 3))):
                code = rng.choice("BHIQ")
                size = struct.calcsize(code)
                if len(block.payload) > size:
                    offset = rng.randrange(len(block.payload) - size)
                    block.patch(offset, code, self.odd_number(rng, 8 * size))
            if rng.random() < 0.2:
                block.count = rng.choice((1, 2, 3, 2**31, NONE))
            self.read(file.bytes())

    def test_damaged_payloads(self):
        """Damage to payloads below right CRCs."""
        self.damage_payloads(FULL, 4, 2000)
        self.damage_payloads(snapshot_bytes(random_snapshot(5), rows_per_block=9, vary=True), 5, 200)

    @needs_zstd
    def test_damaged_packed_payloads(self):
        self.damage_payloads(snapshot_bytes(full_snapshot(), compress=True), 6, 1000)

    def test_noise(self):
        rng = random.Random(7)
        for length in range(0, 400, 7):
            noise = bytes(rng.getrandbits(8) for _ in range(length))
            self.read(noise)
            self.read(FULL[:64] + noise)
            self.read(FULL[:64] + b"RHBK" + noise)


if __name__ == "__main__":
    unittest.main()
