"""Why a number has no receipt, or not the whole of one."""


class UnknownCellError(LookupError):
    """The report has no such partition, row or column; the text says which there are."""


class CannotTraceError(Exception):
    """The events behind a number cannot be told exactly; the text goes on from "because"."""


class UnknownVersionError(LookupError):
    """The partition has no such version; the text lists those that are kept."""
