"""Files of a run that are read with a source: looked through once before anything is sent."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from hashlib import sha256

from producers.commands.feeding import Fed
from producers.commands.hour_pacing import HOUR_MS, Delivery, Plan, plan
from producers.commands.progress import progress
from producers.contracts import Stream, echo, message
from producers.sources.definition import SourceDefinition
from producers.sources.files import STDIN, Share
from producers.sources.items import source_items
from producers.sources.keys import KeyIndex, NotUniqueError
from producers.sources.read import NewEvent
from producers.sources.reader import SourceReader

_HOUR_US = HOUR_MS * 1000


class BySource:
    """Reads files with a source.

    Attributes:
        repeated: rows that say again what a row before them says, in any of the files.
    """

    def __init__(self, definition: SourceDefinition, stream: Stream) -> None:
        """Raises SourceDefinitionError and SourceError."""
        self.repeated = 0
        self._reader = SourceReader(definition, stream)
        self._plans: dict[str, Plan] = {}
        self._left_out = 0

    @property
    def reading(self) -> str:
        """Names the source as it stands: a changed one makes other events of the same file."""
        definition = self._reader.definition
        return f"{definition.name} {sha256(repr(definition).encode()).hexdigest()[:12]}"

    def prepare(self, paths: Sequence[str], delivery: Callable[[], Delivery]) -> None:
        """Looks through the files: whether the source fits, its key is unique, and what hours there are.

        `delivery` is asked for when there are hours to be planned.

        Raises NotUniqueError, SourceDefinitionError and SourceError.
        """
        definition = self._reader.definition
        if not definition.key:
            echo(
                message(
                    f"{definition.file} declares no key: event ids follow from a file's content and the "
                    "row's place. Part of the file, another export of it, or its rows in another order would "
                    "be other events, and count again."
                ),
                err=True,
            )
        files = [path for path in paths if path != STDIN]
        if not files:
            return
        index = KeyIndex()
        try:
            for path in files:
                self._plans[path] = plan(self._hours(path, index), delivery())
            count, shown = index.clashes()
            if count:
                raise NotUniqueError(definition.key, count, shown)
            self.repeated = index.repeated()
        finally:
            index.close()

    def plan_of(self, path: str) -> Plan | None:
        """What a file's hours mean for the delivery stream; of a pipe nobody knows."""
        return self._plans.get(path)

    def items(self, path: str, share: Share | None, noted: Callable[[int, str], None]) -> Generator[NewEvent]:
        """What is sent of the file."""
        return source_items(self._reader, path, share, noted)

    def as_dict(self) -> dict[str, int | str]:
        """For the summary of a run."""
        repeated = {"repeated": self.repeated} if self.repeated else {}
        left_out = {"left_out": self._left_out} if self._left_out else {}
        return {"source": self._reader.definition.name, **repeated, **left_out}

    def close(self) -> None:
        """Ends the source's engine."""
        self._reader.close()

    def _hours(self, path: str, index: KeyIndex) -> Iterator[int]:
        has_key = bool(self._reader.definition.key)
        share, read = Share(), Fed()
        show = progress("rows looked through", share)
        with closing(self._reader.batches(path, share)) as batches:
            for batch in batches:
                self._left_out += batch.left_out
                if has_key:
                    index.add(batch)
                read.put += len(batch.events) + len(batch.failures)
                show(read)
                for each in batch.events:
                    yield each.event_us // _HOUR_US
