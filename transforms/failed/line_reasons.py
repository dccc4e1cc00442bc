"""Why lines of a source could not be read, in words that may be shown to everyone.

A reason is written by the producer and quotes what it could not read: a time, a cell, a name. Of its text
only words of a closed list are shown, and those with which contracts name event types and fields; whatever
else stands there becomes `...`. So reasons that differ in values only are one text, and can be counted.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import fields

from producers.contracts import ENVELOPE_FIELDS, UNREADABLE_LINE, Stream

_LONGEST = 160
_MASKED = "\0"
"""Stands for what is masked while it is; `...` could be in the text itself."""

_WORDS = """
a above access address addresses agent allowed an and any are array as ascii at back base64 be because
before beginning behind binary bool boolean but byte bytes cannot capitals cell cells character characters
check client closed column columns combined common contains control could csv damaged data date datetime day
decimals decode decoding document does duplicate duplicates early ends end enum event events exceeds
expected extra failed field file first fit float format found from got gzip has have here hour id ident in
int integer integers invalid is it its json kept key keys known large larger last latest least length level
like line lines log long lost many matching malformed maximum minimum minute missing month more most must
name named names newer next no none not null number object objects of one only opens or out over own parquet
part partition payload position quote quoted quotes range read rest request required row rows s second
seconds short size smaller start stand stands status str stream surrogate text than that their the them
there these they this time too trailing truncated type types unexpected unicode union unknown unreadable
until user utf utc utf-8 uuid valid value values version was where which with without year zone
"""


@dataclass(frozen=True)
class Vocabulary:
    """What may be shown of a failed record, besides times and numbers: words that its text cannot choose.

    Attributes:
        words: of a reason, in lower case.
        event_types: names of the event types that are declared.
    """

    words: frozenset[str]
    event_types: frozenset[str]

    @classmethod
    def of(cls, streams: Iterable[Stream]) -> "Vocabulary":
        """The names that the contracts of these streams use, and the closed list."""
        known = list(streams)
        types = [each for stream in known for each in stream.all_types]
        names = {each.name for each in types}
        members = {field.encode_name for each in types for field in fields(each.payload)}
        words = {*_WORDS.split(), *(stream.name for stream in known), *members, *names, *ENVELOPE_FIELDS}
        return cls(frozenset(words), frozenset({*names, UNREADABLE_LINE.name}))


_BETWEEN = r""" ,.;:()[]`'"<>=-"""
_PART = re.compile(
    rf"[A-Za-z_][A-Za-z0-9_]*|[{re.escape(_BETWEEN)}]|[^A-Za-z_{re.escape(_BETWEEN)}]+", re.ASCII
)
_MASKS = re.compile(rf"\0(?:[{re.escape(_BETWEEN)}]*\0)*")


def known_words(reason: str, vocabulary: Vocabulary) -> str:
    """The reason with every word that is not known masked; empty when none is known."""
    shown = "".join(
        part if part in _BETWEEN or part.lower() in vocabulary.words else _MASKED
        for part in _PART.findall(reason[: 4 * _LONGEST])
    )
    shown = _MASKS.sub("...", shown).strip()
    if not re.search("[A-Za-z]", shown):
        return ""
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."
