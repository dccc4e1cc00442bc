"""The lines of the local server's log: text of errors can quote events, and people read logs in terminals."""

import logging

from producers.contracts import message


class LogLines(logging.Formatter):
    """Time, level, name and message, with what is not printable escaped and further lines indented."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line, or the lines of a message that has a traceback."""
        return message(super().format(record))


def install() -> None:
    """Log to stderr in this form, from INFO on. It holds for the whole process."""
    handler = logging.StreamHandler()
    handler.setFormatter(LogLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
