"""Dumps a heap and says, from the same heap, what CPython's own tools say of it: run by test_truth.py in every version.

usage: truth_program.py FOLDER REFHEAP [PART...]      (parts of population.py that leave more garbage)

Leaves in FOLDER: snapshot.refheap; words.* (files of 64-bit words): addresses of all objects in it, refcounts of these;
`gen0` to `gen2` and `frozen`: addresses in each generation; `referents`: address, count, addresses; `sizes`: address, size;
`garbageN`: what a collection of generation N finds. `own`: what belongs to the question and not to the heap.
"""

import array
import gc
import os
import sys

import held
import population
import refheap


def save(folder, name, words):
    with open(os.path.join(folder, "words." + name), "wb") as f:
        array.array("Q", words).tofile(f)


def load(folder, name):
    words = array.array("Q")
    with open(os.path.join(folder, "words." + name), "rb") as f:
        words.frombytes(f.read())
    return words


def generations(folder):
    young = gc.get_objects(0)  # first of all: of this function's own there is its frame at most
    middle = gc.get_objects(1)
    old = gc.get_objects(2)
    save(folder, "gen0", map(id, young))
    save(folder, "gen1", map(id, middle))
    save(folder, "gen2", map(id, old))
    old = set(map(id, old))
    count = gc.get_freeze_count()
    gc.unfreeze()
    frozen = set(map(id, gc.get_objects(2))) - old
    # What Python allocates meanwhile is young: nothing else can have become old.
    if len(frozen) != count:
        raise AssertionError("%d frozen objects, not %d" % (len(frozen), count))
    save(folder, "frozen", frozen)
    save(folder, "own", [id(sys._getframe())])


def referents(folder):
    words = array.array("Q")
    for address in load(folder, "addresses"):
        targets = gc.get_referents(held.object_at(address))
        words.append(address)
        words.append(len(targets))
        words.extend(map(id, targets))
    save(folder, "referents", words)


def sizes(folder):
    words = array.array("Q")
    for address in load(folder, "addresses"):
        thing = held.object_at(address)
        kind = type(thing)
        if kind.__module__ == "builtins" and isinstance(kind, type) and not kind.__flags__ & 1 << 9:
            words.append(address)
            words.append(sys.getsizeof(thing))
    save(folder, "sizes", words)


def garbage(folder, generation):
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect(generation)
    save(folder, "garbage%d" % generation, map(id, gc.garbage))


def main():
    folder, program = sys.argv[1:3]
    snapshot = os.path.join(folder, "snapshot.refheap")
    list_addresses = "%s sql %s 'select address from objects' --limit 0 --no-cache --quiet --csv" % (program, snapshot)
    to_words = "import sys, array; array.array('Q', map(int, sys.stdin.read().split()[1:])).tofile(open(sys.argv[1], 'wb'))"
    addresses = os.path.join(folder, "words.addresses")
    shell = "%s | /usr/bin/python3 -c \"%s\" %s" % (list_addresses, to_words, addresses)
    gc.disable()
    kept, old, middle = population.build(), [], []
    population.cycles(old)
    gc.collect()
    population.cycles(middle)
    survivors = [[i] for i in range(10)]
    gc.collect(0)
    looks = (
        (refheap.dump, (snapshot,)),
        (os.execv, ("/bin/sh", ["sh", "-c", shell])),
        (held.refcounts, (addresses, os.path.join(folder, "words.refcounts"))),
        (generations, (folder,)),
        (referents, (folder,)),
        (sizes, (folder,)),
        (garbage, (folder, 0)),
        (garbage, (folder, 1)),
        (garbage, (folder, 2)),
    )
    del old[:], middle[:]  # so there is garbage of every age
    population.cycles()
    young = [[i] for i in range(10)]
    for part in sys.argv[3:]:
        getattr(population, part)()
    held.at_once(looks)
    return kept, survivors, young


if __name__ == "__main__":
    main()
