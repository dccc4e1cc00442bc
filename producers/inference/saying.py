"""What was decided of a sample, and what somebody should look at, a sentence each (pure)."""

from collections.abc import Iterator

from producers.inference.model import Inferred


def decided(made: Inferred) -> Iterator[str]:
    """What the contract and the source say, and why."""
    rows = f"{made.rows:,} rows" if made.is_whole else f"the first {made.rows:,} rows of a larger file"
    yield f"Read {rows}, {len(made.profiles)} columns."
    yield f"Event time: {' and '.join(made.time.columns)} ({made.time.said})."
    if made.key:
        yield f"Key: {', '.join(made.key)}. Unique in all rows that were read; equal rows count once."
    field = made.field(made.partition_key)
    yield f"Partition key: {field.name}, with {made.profiles[field.column].distinct:,} values."
    if made.nulls:
        yield f"Words that stand for nothing: {', '.join(made.nulls)}."
    if optional := [each.name for each in made.fields if each.is_optional]:
        yield f"Optional, since some rows have no value: {', '.join(optional)}."
    if choices := [f"{each.name} ({len(each.choices)} words)" for each in made.fields if each.kind == "enum"]:
        yield f"Enumerations: {', '.join(choices)}."
    if personal := [each.name for each in made.fields if each.is_personal]:
        yield f"Personal, so that the lake holds pseudonyms: {', '.join(personal)}. --plain COLUMN keeps one."


def unsure(made: Inferred) -> Iterator[str]:
    """What the sample does not settle."""
    if not made.key:
        yield (
            "No columns were found that name an event. Ids follow from the file's content then: another "
            "export of the same rows is counted again. Add `key` to the source if you know one."
        )
    if not made.time.is_zoned:
        yield "The times say no zone. The source reads them as UTC: change `zone` if that is wrong."
    if not made.time.is_sure:
        yield f"The event time fits another order of day and month, too ({made.time.said}). See the source."
    if made.profiles[made.time.columns[0]].missing:
        yield "Some rows have no event time. They become failed records."
    elif made.time.is_by_day:
        yield "The times are days without a time of day: reports by the hour have one hour a day."
    if made.profiles[made.field(made.partition_key).column].distinct < 8:
        yield f"The partition key {made.partition_key} has few values: events crowd on few shards."
    for number, why in made.refused[:3]:
        yield f"Row {number:,} cannot be read: {why}."
    yield from _of_fields(made)


def _of_fields(made: Inferred) -> Iterator[str]:
    for field in made.fields:
        profile = made.profiles[field.column]
        numbers = profile.like["number"]
        if field.kind == "text" and profile.present / 2 <= numbers < profile.present:
            other = profile.present - numbers
            yield (
                f"{field.name} is mixed: {numbers:,} numbers and {other:,} other texts. It is a text now; as "
                "a number it would refuse these rows."
            )
        if field.kind == "json":
            yield f"{field.name} has lists or objects. It is kept as JSON text: declare what is in it."
        if not profile.present:
            yield f"{field.name} has no value in any row. It is an optional text now."
        if field.is_personal and profile.like["person"] and "values" in field.why:
            yield f"{field.name} looks like names of people. --plain {field.column!r} keeps it as it is."
        if field.kind == "float" and profile.type.startswith("DECIMAL"):
            yield f"{field.name} is a decimal, which becomes a floating number. Keep money as whole cents."
    for profile in made.profiles.values():
        if profile.type == "BLOB":
            yield f"{profile.name} has bytes, which no field holds. It is left out."
