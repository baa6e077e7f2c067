"""Parents that know their children, and children that know their parents."""

import sample


class Parent:
    def __init__(self, name):
        self.name = name
        self.children = []

    def add(self, child):
        child.parent = self
        self.children.append(child)


class Child:
    def __init__(self, photograph):
        self.photograph = photograph


def leak(number):
    parent = Parent("parent %d" % number)
    parent.add(Child(bytes(5000 + number)))


for number in range(10):
    leak(number)
print("Ten families are forgotten, and kept by their own references.")
sample.end()
