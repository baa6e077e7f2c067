"""python3 -m second_reader FILE: prints the canonical text of a snapshot.

Exits with 2 when the file is not a snapshot FORMAT.md allows, with 1 when it cannot be read.
"""

import argparse
import os
import sys

from . import FormatError, canonical, read_snapshot
from .zstd import ZstdMissing


def main() -> int:
    parser = argparse.ArgumentParser(prog="second_reader",
                                     description="Prints the canonical text of a snapshot.")
    parser.add_argument("file", metavar="FILE")
    path = parser.parse_args().file
    try:
        snapshot = read_snapshot(path)
    except FormatError as error:
        print("%s: %s" % (path, error), file=sys.stderr)
        return 2
    except OSError as error:
        print("%s: %s" % (path, error.strerror), file=sys.stderr)
        return 1
    except ZstdMissing as error:
        print("%s: %s" % (path, error), file=sys.stderr)
        return 1
    try:
        for line in canonical(snapshot):
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:
        # Nothing is left to flush into the pipe when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
