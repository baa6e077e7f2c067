"""A cache that nobody empties."""

import sample


class Image:
    def __init__(self, name):
        self.name = name
        self.pixels = bytearray(10000)


CACHE = {}


def load(name):
    if name not in CACHE:
        CACHE[name] = Image(name)
    return CACHE[name]


for number in range(100):
    load("image %d" % number)
print("Looked at %d images, one after the other; the cache holds %d." % (100, len(CACHE)))
sample.end()
