"""The same cache with weak references: what nobody uses goes."""

import weakref

import sample


class Image:
    def __init__(self, name):
        self.name = name
        self.pixels = bytearray(10000)


CACHE = weakref.WeakValueDictionary()


def load(name):
    image = CACHE.get(name)
    if image is None:
        image = CACHE[name] = Image(name)
    return image


for number in range(100):
    shown = load("image %d" % number)
print("Looked at %d images, one after the other; the cache knows %d." % (100, len(CACHE)))
sample.end()
