"""Why a number has no receipt, or not the whole of one."""


class UnknownCellError(LookupError):
    """The report has no such partition, row or column; the text says which there are."""


class CannotTraceError(Exception):
    """The events behind a number cannot be told exactly. The text goes on from "cannot be traced, because"."""


class UnknownVersionError(LookupError):
    """The partition has no such version; the text lists those that are kept."""
