"""The C reader and the second reader, which was written from FORMAT.md alone, agree: on what files say, and on which are none."""

import os
import random
import struct
import subprocess
import sys
import unittest

from support import REFHEAP, TESTS, TestCase, run, sample, sample_names, tool

sys.path.insert(0, os.path.join(TESTS, "format"))
import second_reader  # noqa: E402
from second_reader.checksum import crc32c  # noqa: E402
from second_reader_examples import random_snapshot  # noqa: E402

RANDOM_MODELS, RANDOM_HEAPS = 150, 15
CHANGES = int(os.environ.get("READER_CHANGES", "600"))


class Readers(TestCase):
    def assertSame(self, path, what):
        done = tool("snapdump", path)
        self.assertEqual(done.returncode, 0, (what, done.stderr))
        self.assertEqual(done.stdout.decode().splitlines(), list(second_reader.canonical(second_reader.read_snapshot(path))),
                         what)

    def test_every_sample_plain_and_packed(self):
        for name in sample_names():
            path, packed = self.path(name), self.path(name + ".packed")
            sample(name, path)
            run("pack", path, "-o", packed)
            self.assertSame(path, name)
            self.assertSame(packed, name + " packed")

    def test_random_heaps_dumped_and_probed(self):
        for seed in range(1, RANDOM_HEAPS + 1):
            tool("make_heap", seed, 200, self.folder, REFHEAP, check=True)
            self.assertSame(self.path("dump.refheap"), seed)
            self.assertSame(self.path("probe.refheap"), seed)

    def test_random_models_written_in_every_legal_way(self):
        for seed in range(RANDOM_MODELS):
            path = self.path("model")
            second_reader.write_snapshot(random_snapshot(seed), path, vary=seed % 3 > 0, seed=seed)
            self.assertSame(path, seed)

    def changed(self, original, rng):
        """A file with one place changed and every checksum right again."""
        data = bytearray(original)
        at = rng.randrange(len(data))
        if rng.random() < 0.5:
            data[at] = rng.choice([0, 1, 2, 3, 4, 8, 127, 128, 255, rng.randrange(256)])
        else:
            at &= ~3
            struct.pack_into("<I", data, at, rng.choice([0, 1, 0xffffffff, 0x7fffffff, 65536, rng.randrange(1 << 32)]))
        struct.pack_into("<I", data, 60, crc32c(bytes(data[:60])))
        uuid, crcs, at = bytes(data[16:32]), bytes(data[60:64]), 64
        while at + 40 <= len(data):
            magic, _, section, _, _, stored, _, _ = struct.unpack_from("<IIHHIIIQ", data, at)
            end = at + 40 + (stored + 7) // 8 * 8
            if magic != 0x4b424852 or end > len(data):
                break
            if section == 127 and stored == 168:
                struct.pack_into("<I", data, at + 40 + 32, crc32c(crcs))
            struct.pack_into("<I", data, at + 32, 0)
            crc = crc32c(uuid + bytes(data[at:end]))
            struct.pack_into("<I", data, at + 32, crc)
            crcs += struct.pack("<I", crc)
            at = end
        return bytes(data)

    def test_changed_files_are_taken_by_both_or_by_neither(self):
        rng, accepted = random.Random(7), 0
        originals = [second_reader.snapshot_bytes(random_snapshot(seed)) for seed in range(12)]
        for n in range(CHANGES):
            data = self.changed(rng.choice(originals), rng)
            path = self.path("changed")
            with open(path, "wb") as f:
                f.write(data)
            done = subprocess.run([REFHEAP, "verify", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                second_reader.read_snapshot(data)
                second = None
            except second_reader.FormatError as e:
                second = str(e)
            self.assertEqual(done.returncode == 0, second is None, (n, done.stderr, second))
            if second is None:
                accepted += 1
                self.assertSame(path, n)
        self.assertGreater(accepted, CHANGES // 20)
        self.assertLess(accepted, CHANGES)


if __name__ == "__main__":
    unittest.main()
