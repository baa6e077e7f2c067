"""A folder of this session's own, gone with it."""

import atexit
import shutil
import tempfile

_folder = None


def folder():
    global _folder
    if _folder is None:
        _folder = tempfile.mkdtemp(prefix="refheap-")
        atexit.register(shutil.rmtree, _folder, True)
    return _folder
