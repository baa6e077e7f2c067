"""gc.DEBUG_SAVEALL: a collection keeps what it finds in gc.garbage, to be looked at."""

import gc

import sample


class Session:
    def __init__(self, user):
        self.user = user
        self.handlers = [self.on_message]

    def on_message(self):
        return self.user


def serve():
    for user in ("Ann", "Bob", "Eve"):
        Session(user)


gc.set_debug(gc.DEBUG_SAVEALL)
serve()
found = gc.collect()
print("The collector found %d objects and kept %d in gc.garbage." % (found, len(gc.garbage)))
sample.end()
