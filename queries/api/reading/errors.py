"""Why a request to read is refused."""


class AskedError(ValueError):
    """The request cannot be read; the text says what is wrong with it and what may be sent."""


class MediaError(ValueError):
    """None of the media types that the caller takes can be given."""


class RestrictedError(Exception):
    """The caller may see some rows of the report only, so its files are not handed out."""


class CursorGoneError(Exception):
    """The cursor points into a version of a partition that is kept no longer."""


class TooLargeError(Exception):
    """A partition is too large to be read by a request."""


class RowsMissingError(Exception):
    """The files of a published partition do not hold the rows that the ledger counted."""
