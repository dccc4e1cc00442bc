"""What the command's exit codes mean."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of `penstock`."""

    OK = 0
    FAILED = 1
    """It could not be done; the message says what, where and what to do next."""
    USAGE = 2
    """The command line is not understood."""
    UNBALANCED = 3
    """Events are missing, or a producer never reported how many it sent."""
    NO_TARGET = 4
    """No local cloud is up, or the deployment that was named does not exist."""
    UNEXPECTED = 70
    """A defect of Penstock itself."""
    INTERRUPTED = 130
    """Ended by Ctrl-C."""
