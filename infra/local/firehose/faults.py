"""Faults on demand: each is a switch with a probability, drawn from one seeded source."""

import random
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

SWITCHES: Mapping[str, str] = {
    "put_throttled": "a record that is put on the delivery stream itself is refused for now",
    "transform_error": "the function raises",
    "transform_timeout": "the function does not answer in time",
    "answer_too_large": "the function's answer passes 6 MB",
    "answer_drops_id": "the answer leaves one recordId out",
    "answer_repeats_id": "the answer has one recordId twice",
    "answer_garbles_id": "the answer has one recordId that nobody asked for",
    "data_put_fails": "writing a data object fails",
    "error_put_fails": "writing an error object fails",
    "delivery_repeats": "an object is delivered a second time under another key",
    "same_key_rewrite": "an object is written a second time under the same key",
    "delivery_reorders": "buffers are delivered in another order",
    "delivery_delays": "a delivery waits for a second",
    "reading_pauses": "the stream is not read",
    "stops_before_put": "the worker stops dead before it writes an object",
    "stops_after_put": "the worker stops dead after it wrote an object, before its checkpoint",
}


class UnknownFaultError(ValueError):
    """There is no switch of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no fault {name!r}. There are: {', '.join(SWITCHES)}")
        self.name = name


@dataclass
class _Switch:
    probability: float
    remaining: int | None


@dataclass
class Faults:
    """The switches of one worker. All are off at first. Thread-safe."""

    seed: int = 0
    happened: Counter[str] = field(default_factory=Counter)
    _on: dict[str, _Switch] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - to be repeatable, not secret

    def switch(self, name: str, probability: float, times: int | None = None) -> None:
        """Let a fault happen with this probability, at most `times` times; 0 is off.

        Raises UnknownFaultError, ValueError.
        """
        if name not in SWITCHES:
            raise UnknownFaultError(name)
        if not 0 <= probability <= 1:
            raise ValueError(f"The probability of {name} must lie between 0 and 1; it is {probability}.")
        with self._lock:
            self._on.pop(name, None)
            if probability > 0 and times != 0:
                self._on[name] = _Switch(probability, times)

    def reseed(self, seed: int) -> None:
        """All switches off, and the same chances again from here on."""
        with self._lock:
            self._on.clear()
            self.happened.clear()
            self.seed = seed
            self._random.seed(seed)

    def happens(self, name: str) -> bool:
        """Draw: whether the fault happens here and now."""
        if not self._on:
            return False
        with self._lock:
            switch = self._on.get(name)
            if switch is None or self._random.random() >= switch.probability:
                return False
            self.happened[name] += 1
            if switch.remaining is not None:
                switch.remaining -= 1
                if switch.remaining == 0:
                    del self._on[name]
            return True

    def shuffled(self, items: list[int]) -> list[int]:
        """The numbers in an order of chance."""
        with self._lock:
            return self._random.sample(items, len(items))

    def listed(self) -> dict[str, dict[str, object]]:
        """Every switch: what it does, its probability, how often it happened."""
        with self._lock:
            return {
                name: {
                    "what": what,
                    "probability": self._on[name].probability if name in self._on else 0.0,
                    "happened": self.happened[name],
                }
                for name, what in SWITCHES.items()
            }
