"""Two dicts that hold each other."""

import sample


def leak():
    person, address = {"name": "Ann"}, {"street": "Long Lane"}
    person["address"] = address
    address["who lives there"] = person


leak()
print("Dropped both dicts: each is still held by the other.")
sample.end()
