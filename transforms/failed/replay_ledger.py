"""The ledger of replays: one document per error object, of what was replayed from it and where it stands."""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from transforms.failed.bucket import ObjectName, Objects
from transforms.failed.error_objects import object_hash
from transforms.function.batch import ranges

REPLAYS_PREFIX = "replays/"
"""Prefix in the lake bucket of the ledger."""

FORM = 2
"""Of the documents. Work that stands in one of an earlier form is done once more, and changes no row."""


def ledger_key(error_object: str) -> str:
    """Where the ledger of the error object stands."""
    return f"{REPLAYS_PREFIX}{object_hash(error_object)}.json"


@dataclass
class Ledger:
    """What is known of one error object.

    Attributes:
        tag: the content that the numbers below are of.
        objects: lake object -> its rows. Stands here before the object is written, with 0.
        landed: numbers of the records of which rows are in the lake.
        passing: numbers of the records that passed the rules as they are when last validated.
        runs: one for each order.
    """

    error_object: str
    tag: str
    objects: dict[str, int] = field(default_factory=dict)
    landed: frozenset[int] = frozenset()
    passing: frozenset[int] = frozenset()
    runs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def to_replay(self) -> int:
        """How many records pass the rules and are not in the lake."""
        return len(self.passing - self.landed)

    def run(self, order: str) -> dict[str, Any] | None:
        """What is written of an order that was carried out."""
        return next((run for run in self.runs if run["order"] == order), None)

    def add(self, run: dict[str, Any]) -> None:
        """Put the run in the place of an earlier one of the same order."""
        self.runs = [*(each for each in self.runs if each["order"] != run["order"]), run]

    def plan(self, objects: Objects, keys: Collection[str]) -> None:
        """Write down what is about to be written, so that a run that is stopped leaves no unknown object."""
        if not all(key in self.objects for key in keys):
            self.objects = {**dict.fromkeys(keys, 0), **self.objects}
            self.write(objects)

    def write(self, objects: Objects) -> None:
        """Write it to the bucket."""
        document = {
            "error_object": self.error_object,
            "form": FORM,
            "tag": self.tag,
            "landed": ranges(self.landed),
            "passing": ranges(self.passing),
            "objects": dict(sorted(self.objects.items())),
            "runs": self.runs,
        }
        objects.put(ledger_key(self.error_object), json.dumps(document, indent=1).encode())


def read_ledger(objects: Objects, name: ObjectName) -> Ledger:
    """The ledger of the error object; an empty one when there is none."""
    body = objects.get(ledger_key(name.key))
    if body is None:
        return Ledger(name.key, name.tag)
    told = json.loads(body)
    is_same = told.get("tag") == name.tag
    landed, passing = (frozenset(_numbers(told.get(each, "") if is_same else "")) for each in _SETS)
    return Ledger(name.key, name.tag, told["objects"], landed, passing, told["runs"])


_SETS = ("landed", "passing")


def _numbers(text: str) -> Iterable[int]:
    return (number for part in filter(None, text.split(",")) for number in _span(part))


def _span(part: str) -> Iterator[int]:
    first, _, last = part.partition("-")
    return iter(range(int(first), int(last or first) + 1))
