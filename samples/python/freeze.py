"""gc.freeze() before a fork: what is frozen is never looked at again, so that its pages stay shared. Neither is garbage in it."""

import gc

import sample


class Connection:
    def __init__(self):
        self.buffer = bytearray(1000)
        self.reader = self.read

    def read(self):
        return self.buffer


def start():
    Connection()  # holds itself, through its bound method


start()
gc.freeze()
print("%s frozen objects, a leak among them." % ("Some" if gc.get_freeze_count() else "No"))
sample.end()
