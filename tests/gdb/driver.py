"""Runs inside GDB: executes the commands of the test and writes what each said as JSON.

Commands that are Python expressions in braces, like {stepi 100}, are no commands of refheap; they run the same way.
"""

import json
import os

import gdb


def execute(command):
    try:
        return {"command": command, "output": gdb.execute(command, to_string=True), "error": None}
    except gdb.error as e:
        return {"command": command, "output": "", "error": str(e)}
    except KeyboardInterrupt:
        return {"command": command, "output": "", "error": "interrupted"}


gdb.execute("set pagination off")
gdb.execute("set confirm off")
gdb.execute("set width 0")
gdb.execute("handle SIGUSR1 nostop noprint pass", to_string=True)
with open(os.environ["DRIVER_COMMANDS"]) as f:
    results = [execute(command) for command in json.load(f)]
with open(os.environ["DRIVER_RESULTS"], "w") as f:
    json.dump(results, f)
gdb.execute("kill", to_string=True) if gdb.selected_inferior().pid else None
gdb.execute("quit 0")
