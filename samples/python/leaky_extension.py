"""Uses leaky.c, an extension module that counts references wrongly, once too many and once too few, and once not wrongly."""

import os
import sys

import leaky
import sample


class Message:
    def __init__(self, words):
        self.words = words

    def __len__(self):
        return self.words


def read_all():
    inbox = [Message(words) for words in (10, 20, 30)]
    return len(leaky.longest(inbox))


read_all()
print("Read a message; the inbox is gone.")

outbox = [Message(100), Message(200)]
also = list(outbox)
leaky.total(outbox)
print("Counted the words of two messages, which two lists hold.")
leaky.remember(Message(300))
print("Had one remembered.")
sample.end()
sys.stdout.flush()
os._exit(0)  # the two would be freed too early
