"""The standard library's types (population.py), in use and as garbage."""

import population


def populate():
    kept = population.build()
    # A dict of seventy thousand is one dict; twice that many objects behind it only take the tests' time.
    kept["dicts"] = [d for d in kept["dicts"] if type(d) is not dict or len(d) < 1000]
    for area in population.AREAS:
        if area is not population.dicts:
            ring = [area()]
            ring.append(ring)
    return kept
