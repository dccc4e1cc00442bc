"""Sets of whole numbers kept as intervals: what arrived of a sequence, in the space of its gaps."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter

Span = tuple[int, int]
"""First and last number of a run without a gap, both included."""

_first = itemgetter(0)
_PART = re.compile(r"(\d+)(?:-(\d+))?")


class IntervalTextError(ValueError):
    """A text is not a list of numbers and ranges such as `17,44-46`; `text` is the part not understood."""

    def __init__(self, text: str) -> None:
        super().__init__(f"Cannot read {text!r} as a set of numbers. Write numbers and ranges: 17,44-46.")
        self.text = text


@dataclass(frozen=True)
class IntervalSet:
    """An immutable set of whole numbers. Its size in memory follows its gaps, not its members.

    `spans` are in order, do not overlap and do not touch; so equal sets are equal objects.
    """

    spans: tuple[Span, ...] = ()

    @classmethod
    def of(cls, spans: Iterable[Span]) -> "IntervalSet":
        """The union of `spans`, which may come in any order, overlap and repeat; empty ones are left out."""
        joined: list[Span] = []
        for first, last in sorted(span for span in spans if span[0] <= span[1]):
            if joined and first <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(joined[-1][1], last))
            else:
                joined.append((first, last))
        return cls(tuple(joined))

    @classmethod
    def up_to(cls, last: int) -> "IntervalSet":
        """1, 2, ... `last`; empty when `last` is 0."""
        return cls.of([(1, last)])

    @classmethod
    def parse(cls, text: str) -> "IntervalSet":
        """The set that `str` wrote. Raises IntervalTextError."""
        return cls.of(_spans(text))

    def __str__(self) -> str:
        return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in self.spans)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.spans)

    def __iter__(self) -> Iterator[int]:
        for first, last in self.spans:
            yield from range(first, last + 1)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self.spans, number, key=_first)
        return at > 0 and number <= self.spans[at - 1][1]

    def __or__(self, other: "IntervalSet") -> "IntervalSet":
        return IntervalSet.of((*self.spans, *other.spans))

    def __sub__(self, other: "IntervalSet") -> "IntervalSet":
        return IntervalSet(tuple(_minus(self.spans, other.spans)))

    def __and__(self, other: "IntervalSet") -> "IntervalSet":
        return self - (self - other)

    @property
    def largest(self) -> int:
        """The largest member; 0 for the empty set, as sequences begin at 1."""
        return self.spans[-1][1] if self.spans else 0


EMPTY = IntervalSet()


def _spans(text: str) -> Iterator[Span]:
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = _PART.fullmatch(part)
        if match is None:
            raise IntervalTextError(part)
        yield int(match[1]), int(match[2] or match[1])


def _minus(kept: tuple[Span, ...], removed: tuple[Span, ...]) -> Iterator[Span]:
    """Both in order: one walk through both."""
    at = 0
    for first, last in kept:
        start = first
        while at < len(removed) and removed[at][1] < start:
            at += 1
        here = at
        while here < len(removed) and removed[here][0] <= last:
            if start < removed[here][0]:
                yield start, removed[here][0] - 1
            start = removed[here][1] + 1
            here += 1
        if start <= last:
            yield start, last
