"""Two lists that hold each other."""

import sample


def leak():
    first, second = ["first"], ["second"]
    first.append(second)
    second.append(first)


leak()
print("Dropped both lists: each is still held by the other.")
sample.end()
