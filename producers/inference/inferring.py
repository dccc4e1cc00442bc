"""From a sample to a contract and a source, with what was decided and what is unsure."""

from collections.abc import Collection, Mapping
from contextlib import closing
from datetime import UTC, datetime

from producers.inference.event_time import event_time
from producers.inference.fields import field_of
from producers.inference.keys import key_of
from producers.inference.model import Field, InferenceError, Inferred, Profile, TimeColumns
from producers.inference.names import field_names
from producers.inference.personal import looks_personal
from producers.inference.profiling import null_words, profiles
from producers.inference.sample import Sample
from producers.inference.saying import decided, unsure
from producers.inference.time_forms import time_of
from producers.sources.definition import SourceDefinition
from producers.sources.engine import FILE, Engine
from producers.sources.rows import with_nulls

_ENOUGH_VALUES = 8
"""Different values that a partition key should have: fewer leave shards without work."""


def infer(sample: Sample, *, plain: Collection[str] = (), personal: Collection[str] = ()) -> Inferred:
    """The contract and source of a sample.

    Columns in `plain` are not personal, whatever they look like; those in `personal` are. Raises
    InferenceError where the sample has no time, or no column of such a name.
    """
    for name in (*plain, *personal):
        if name not in sample.table.column_names:
            raise InferenceError(f"The file has no column {name!r}.")
    with closing(Engine()) as engine:
        return _Inference(engine, sample, plain, personal).made()


class _Inference:
    def __init__(
        self, engine: Engine, sample: Sample, plain: Collection[str], personal: Collection[str]
    ) -> None:
        self._engine, self._sample = engine, sample
        engine.give(sample.table)
        self._nulls = null_words(engine, sample.table)
        definition = SourceDefinition("sample", "", "", sample.form.format, "", "", nulls=self._nulls)
        engine.give(with_nulls(sample.table, definition))
        self._profiles: Mapping[str, Profile] = profiles(engine, sample.table, self._nulls)
        found = {name: time_of(engine, each) for name, each in self._profiles.items()}
        self._times = {name: time for name, time in found.items() if time is not None}
        self._personal = {
            name: "request" if name in personal else why
            for name, each in self._profiles.items()
            if name not in self._times
            and name not in plain
            and (name in personal or (why := looks_personal(each)))
        }

    def made(self) -> Inferred:
        time = event_time(self._profiles, self._times)
        key = key_of(self._engine, self._profiles, self._times, time, self._personal)
        names = field_names(self._profiles)
        fields = tuple(
            field_of(
                profile,
                names[column],
                personal=self._personal.get(column, ""),
                in_key=column in key,
                time=self._times.get(column),
            )
            for column, profile in self._profiles.items()
            if column not in time.columns and profile.type != "BLOB"
        )
        if not fields:
            raise InferenceError("The sample has times and nothing else. An event says what happened, too.")
        first, last = self._range(time)
        partition = _partition_key(fields, key, self._profiles)
        sample = self._sample
        made = Inferred(
            format=sample.form.format,
            delimiter=sample.form.delimiter,
            rows=len(sample.table),
            read=sample.read,
            is_whole=sample.is_whole,
            refused=sample.refused,
            nulls=self._nulls,
            fields=fields,
            time=time,
            key=key,
            partition_key=partition.name,
            first=first,
            last=last,
            profiles=self._profiles,
            decided=(),
            unsure=(),
        )
        return _said(made)

    def _range(self, time: TimeColumns) -> tuple[datetime, datetime]:
        moment = f"TRY(epoch_us(CAST({time.sql} AS TIMESTAMPTZ)))"
        low, high = self._engine.rows(f"SELECT min({moment}), max({moment}) FROM {FILE}")[0]  # noqa: S608
        if low is None:
            raise InferenceError("No row of the sample has a time that can be read.")
        return datetime.fromtimestamp(low / 1e6, UTC), datetime.fromtimestamp(high / 1e6, UTC)


def _said(made: Inferred) -> Inferred:
    from dataclasses import replace

    return replace(made, decided=tuple(decided(made)), unsure=tuple(unsure(made)))


def _partition_key(fields: tuple[Field, ...], key: tuple[str, ...], found: Mapping[str, Profile]) -> Field:
    """A field that is always there and has enough values; of the key if possible, and rather a name."""

    def worth(field: Field) -> tuple[bool, bool, bool, bool, int]:
        distinct = found[field.column].distinct
        return (
            not field.is_optional,
            field.kind not in ("time", "json", "bool", "float"),
            field.column in key and distinct >= _ENOUGH_VALUES,
            distinct >= _ENOUGH_VALUES and field.kind in ("text", "enum"),
            distinct,
        )

    return max(fields, key=worth)
