"""A program that allocates, runs threads, and collects, all the time, until its standard input ends."""

import gc
import sys
import threading


class Node:
    def __init__(self, other=None):
        self.other, self.payload = other or self, {"list": [1, 2, 3], "text": str(id(self))}


def churn(kept, end):
    i = 0
    while not end.is_set():
        i += 1
        other = kept[(i * 7) % len(kept)]
        if other:
            other.other = None  # else it would be a chain of all there ever were
        kept[i % len(kept)] = Node(other)
        Node()
        sorted([Node(n) for n in kept[:5]], key=id)


def collect(end):
    while not end.is_set():
        gc.collect()


def main():
    end = threading.Event()
    threads = [threading.Thread(target=churn, args=([None] * 500, end), daemon=True) for _ in range(2)]
    if "collect" in sys.argv:
        threads.append(threading.Thread(target=collect, args=(end,), daemon=True))
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.read()
    end.set()
    for thread in threads:
        thread.join()
    print("ended", flush=True)


main()
