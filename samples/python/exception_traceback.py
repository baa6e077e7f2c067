"""An exception that is kept: its traceback holds the frame, and the frame holds the exception."""

import sample


def careful():
    document = "a long document " * 1000
    try:
        return int(document)
    except ValueError as error:
        problem = error  # outlives the except block, unlike `error`
    return len(str(problem))


careful()
print("The function has returned, but its frame and all its locals stay.")
sample.end()
