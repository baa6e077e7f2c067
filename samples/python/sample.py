"""What the samples share: the collector stays off, so that what leaks is there to be seen, and the snapshot goes to argv[1]."""

import gc
import sys

try:
    import refheap
except ImportError:
    sys.exit("the module refheap is not here: try PYTHONPATH=build")

gc.collect()
gc.disable()


def end():
    if len(sys.argv) > 1:
        refheap.dump(sys.argv[1])
        print("Wrote %s." % sys.argv[1])
