"""Writes parts of an import in the process that plans them: few events, or a function with one processor."""

from collections.abc import Sequence
from concurrent.futures import Future

from producers.contracts import FilePlace
from transforms.importing.writing import Part, PartWriter, Written


class Here:
    """Writes parts in this process, when they are submitted."""

    def __init__(self, writer: PartWriter) -> None:
        self._writer = writer

    def submit(self, parts: Sequence[Part]) -> "Future[list[Written]]":
        """Write them."""
        future: Future[list[Written]] = Future()
        try:
            future.set_result(self._writer.write(parts))
        except Exception as error:  # noqa: BLE001 - it is raised again where the result is asked for
            future.set_exception(error)
        return future

    def replace(self, part: Part, places: Sequence[FilePlace]) -> "Future[None]":
        """Replace them."""
        future: Future[None] = Future()
        try:
            self._writer.replace(part, places)
            future.set_result(None)
        except Exception as error:  # noqa: BLE001 - it is raised again where the result is asked for
            future.set_exception(error)
        return future

    def close(self) -> None:
        """Nothing to end."""
