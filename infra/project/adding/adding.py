"""Adds a stream to a project from a sample of its rows: infers, tries the result on the sample, writes."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.project.adding.contract_text import source_text, stream_text
from infra.project.adding.example_text import examples_of
from infra.project.adding.report_text import reports_of
from infra.project.project import Folders
from producers.commands.unreadable_reasons import UnreadableReasons
from producers.contracts import load_streams
from producers.inference.inferring import infer
from producers.inference.model import Inferred
from producers.inference.sample import MOST_ROWS, read_sample
from producers.sources.definition import parse_source
from producers.sources.reader import SourceReader
from producers.sources.results import SourceBatch

_NAME = re.compile(r"[a-z](?:[a-z0-9_]{0,22}[a-z0-9])?")
_FOLDERS = ("streams", "sources", "reports", "dashboards")


class AddingError(ValueError):
    """The stream cannot be added. The message says why and what to do."""


@dataclass(frozen=True)
class Trial:
    """What the contract and the source make of the sample that they come from.

    Attributes:
        events: rows that are events.
        failures: rows that are not.
        reasons: the most frequent ones, with the numbers of their first rows.
        first: payload and time (microseconds since 1970) of the first event.
    """

    events: int
    failures: int
    reasons: Mapping[str, Any]
    first: tuple[Mapping[str, Any], int]


@dataclass(frozen=True)
class Added:
    """A stream, before it is written: its files by their paths in the project."""

    inferred: Inferred
    trial: Trial
    files: Mapping[str, str]


def prepare(
    name: str,
    path: str,
    *,
    plain: Collection[str] = (),
    personal: Collection[str] = (),
    rows: int = MOST_ROWS,
) -> Added:
    """The files of a stream of this name, inferred from the file at `path`.

    Raises AddingError, InferenceError, SourceError.
    """
    if not _NAME.fullmatch(name):
        raise AddingError(
            f"{name!r} is not a valid stream name. Use 1 to 24 lower-case letters, digits and _, a letter in "
            "front, none of _ at the end."
        )
    made = infer(read_sample(path, rows), plain=plain, personal=personal)
    file = Path(path).name
    texts = {
        f"streams/{name}.py": stream_text(made, name, file),
        f"sources/{name}.sql": source_text(made, name, file),
    }
    trial = _tried(name, path, made.read, texts)
    examples = examples_of(made, name, *trial.first)
    return Added(made, trial, {**texts, **examples, **reports_of(made, name)})


def write(added: Added, folders: Folders, *, force: bool) -> list[Path]:
    """Write the files; returns them.

    Raises AddingError, before anything is written, where one is there already, unless `force`; OSError.
    """
    places = {}
    for name, text in added.files.items():
        top, _, rest = name.partition("/")
        places[Path(getattr(folders, top)) / rest] = text
    present = [place for place in places if place.exists()]
    if present and not force:
        named = ", ".join(str(place) for place in present[:3])
        raise AddingError(
            f"There already: {named}. Nothing was written. Choose another name, or overwrite them with "
            "--force."
        )
    for place, text in places.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return list(places)


def _tried(name: str, path: str, rows: int, texts: Mapping[str, str]) -> Trial:
    """Reads the sample by the contract and the source that were made of it."""
    reasons = UnreadableReasons()
    events = failures = 0
    first: tuple[Mapping[str, Any], int] | None = None
    with TemporaryDirectory() as folder:
        place = Path(folder) / f"{name}.py"
        place.write_text(texts[f"streams/{name}.py"], encoding="utf-8")
        stream = load_streams(Path(folder))[name]
        definition = parse_source(texts[f"sources/{name}.sql"], f"sources/{name}.sql")
        reader = SourceReader(definition, stream)
        with closing(reader), closing(reader.batches(path, in_columns=True)) as batches:
            for batch in batches:
                found = _events(batch)
                events, failures = events + len(found), failures + len(batch.failures)
                for failure in batch.failures:
                    column = f"{failure.column}: " if failure.column else ""
                    reasons.add(failure.row, f"{column}{failure.reason}")
                if first is None and found:
                    first = json.loads(found[0][0]), found[0][1]
                if events + failures >= rows:
                    break
    if first is None:
        told: Any = next(iter(reasons.as_dict().get("unreadable_reasons", ())), {})
        said = told.get("reason", "no row was read")
        raise AddingError(f"No row of the sample would be an event: {said}. Look at its first rows.")
    return Trial(events, failures, reasons.as_dict(), first)


def _events(batch: SourceBatch) -> Sequence[tuple[bytes, int]]:
    """Payload and time of each event; of those in columns the first ones stand for all."""
    found = [(event.data, event.event_us) for event in batch.events]
    if batch.columns is not None and len(batch.columns.rows):
        columns = batch.columns
        first = (columns.data[0].as_py(), columns.event_us[0].as_py())
        found += [first] * len(columns.rows)
    return found
