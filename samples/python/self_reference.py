"""A list that holds itself."""

import sample


def leak():
    mine = ["something to keep"]
    mine.append(mine)


leak()
print("The list is out of reach, but its refcount is still 1: its own reference.")
sample.end()
