"""The error of a file that is not a snapshot."""

from typing import Optional


class FormatError(Exception):
    """The bytes are not a snapshot FORMAT.md allows.

    `section` is a section's name (its number when it has none) or None, `offset` the file offset of
    the block, or of the header field, that shows it, or None.
    """

    def __init__(self, message: str, section: Optional[str] = None, offset: Optional[int] = None):
        super().__init__(message, section, offset)
        self.message, self.section, self.offset = message, section, offset

    def __str__(self) -> str:
        place = []
        if self.section is not None:
            place.append("section %s" % self.section)
        if self.offset is not None:
            place.append("offset %d" % self.offset)
        return self.message + (" at " + ", ".join(place) if place else "")
