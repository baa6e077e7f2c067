"""A list of a module that grows and is never read: no garbage, and a leak all the same."""

import sample


class Request:
    def __init__(self, number):
        self.number = number
        self.body = "body of request %d " % number * 50


HISTORY = []


def handle(number):
    request = Request(number)
    HISTORY.append(request)  # "for debugging"
    return len(request.body)


for number in range(1000):
    handle(number)
print("Handled 1000 requests.")
sample.end()
