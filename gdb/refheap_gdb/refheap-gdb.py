"""Loads refheap's GDB commands: `source` this file, or put the line that `refheap gdb-init` prints in ~/.gdbinit."""

import importlib
import os
import sys

# Not by __file__, which is that of an outer script where one sources this.
_here = os.path.dirname(os.path.abspath(os.path.expanduser(sys._getframe().f_code.co_filename)))
if os.path.dirname(_here) not in sys.path:
    sys.path.insert(0, os.path.dirname(_here))
_again = "refheap_gdb" in sys.modules
import refheap_gdb  # noqa: E402

if not _again:
    refheap_gdb.register(_here)
