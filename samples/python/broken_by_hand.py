"""A cycle that is broken by hand when it is done with, and one where that was forgotten."""

import sample


class Node:
    def __init__(self, name):
        self.name = name
        self.other = None

    def close(self):
        self.other = None


def pair(name):
    left, right = Node(name + ", left"), Node(name + ", right")
    left.other, right.other = right, left
    return left


careful = pair("closed")
careful.close()
del careful
careless = pair("not closed")
del careless
print("One pair went at once; the other waits for the collector.")
sample.end()
