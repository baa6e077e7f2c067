"""set and show refheap."""

import gdb

_settings = {}


class _Setting(gdb.Parameter):
    def __init__(self, name, kind, initial, doc, values=None):
        self.__doc__ = self.set_doc = self.show_doc = doc
        if values is None:
            super().__init__("refheap " + name, gdb.COMMAND_DATA, kind)
        else:
            super().__init__("refheap " + name, gdb.COMMAND_DATA, kind, values)
        self.value = initial
        self._name = name

    def get_set_string(self):
        return ""

    def get_show_string(self, svalue):
        return "refheap %s is %s." % (self._name, svalue or '""')


class _Set(gdb.Command):
    """Change how refheap works."""

    def __init__(self):
        super().__init__("set refheap", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)


class _Show(gdb.Command):
    """Show how refheap works."""

    def __init__(self):
        super().__init__("show refheap", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)

    def invoke(self, argument, from_tty):
        for name in _settings:
            gdb.execute("show refheap " + name)


def register():
    _Set()
    _Show()
    _settings["capture-method"] = _Setting(
        "capture-method", gdb.PARAM_ENUM, "auto",
        "How the heap is read.\nauto: the best way there is.  descriptors: of the process's memory, handed to the refheap "
        "program.  file: the core,\nread by the refheap program.  served: by GDB, which hands on what it reads; the only way for "
        "remote targets.", ["auto", "descriptors", "file", "served"])
    _settings["program"] = _Setting(
        "program", gdb.PARAM_OPTIONAL_FILENAME, "",
        "The refheap program to run; empty for the one beside this extension, or else the one on PATH.")
    _settings["row-limit"] = _Setting(
        "row-limit", gdb.PARAM_UINTEGER, 20, "How many rows a table shows unless -limit says otherwise.")
    _settings["timeout"] = _Setting(
        "timeout", gdb.PARAM_UINTEGER, 60, "Seconds a capture, an analysis or a call into the program may take.")


def get(name):
    """The value of a setting; None where it is unlimited."""
    return _settings[name].value
