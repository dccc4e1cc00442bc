"""What a source reads, as the items that a replay sends."""

from collections.abc import Callable, Generator
from contextlib import closing

from producers.contracts import UNREADABLE_LINE
from producers.sources.files import STDIN, Share
from producers.sources.read import NewEvent
from producers.sources.reader import SourceReader
from producers.sources.results import SourceBatch, SourceEvent, SourceFailure
from producers.sources.times import as_datetime

_REMEMBERED = 200_000


def source_items(
    reader: SourceReader, path: str, share: Share | None, noted: Callable[[int, str], None]
) -> Generator[NewEvent]:
    """Every row of the file at `path` (`-`: standard input), in its order. `share` tells how far it got.

    `noted` is called with the number of a row that cannot be an event, and why. Of a pipe nobody knows
    beforehand that a key is not unique: there a row fails whose key a row before it had, with other content.

    Raises SourceDefinitionError and SourceError.
    """
    seen = _Recent(reader.definition.name) if path == STDIN and reader.definition.key else None
    with closing(reader.batches(path, share)) as batches:
        for batch in batches:
            checked = batch if seen is None else seen.checked(batch)
            found: list[SourceEvent | SourceFailure] = [*checked.events, *checked.failures]
            for each in sorted(found, key=lambda item: item.row):
                if isinstance(each, SourceFailure):
                    payload = each.payload(reader.definition.name, batch.file)
                    noted(each.row, payload.reason)
                    time = as_datetime(each.event_us)
                    yield NewEvent(each.row + each.rows - 1, time, UNREADABLE_LINE, payload, each.event_id)
                else:
                    yield NewEvent(
                        each.row, as_datetime(each.event_us), each.event_type, each.payload, each.event_id
                    )


class _Recent:
    """The last events of a pipe."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._seen: dict[str, tuple[int, int]] = {}

    def checked(self, batch: SourceBatch) -> SourceBatch:
        """The batch, where rows whose key was there with other content are failures."""
        events: list[SourceEvent] = []
        failures = list(batch.failures)
        for each in batch.events:
            assert each.event_id is not None
            content = hash((each.event_us, each.event_type.name, each.data))
            row, before = self._seen.setdefault(each.event_id, (each.row, content))
            if before == content:
                events.append(each)
                continue
            reason = f"row {row} has the same key and other content"
            failures.append(SourceFailure(each.row, "key", reason, each.data.decode(), None, each.event_us))
        while len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return batch._replace(events=events, failures=failures)
