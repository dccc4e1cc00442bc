"""How much passed each stage, second by second and in all, from what was noted there (pure)."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping

from infra.local.parts.activity import Happening, Stage

SECONDS = 60

AMOUNTS: Mapping[Stage, str] = {"firehose": "events", "transform": "events", "lake": "rows"}
"""The fact that says how much passed; at other stages every happening counts one."""


class Flow:
    """Totals, the last minute's rates and the last happening of each stage."""

    def __init__(self) -> None:
        self.total: Counter[Stage] = Counter()
        self.facts: Counter[tuple[Stage, str]] = Counter()
        """Sums of every whole-number fact by (stage, fact)."""
        self.what: Counter[tuple[Stage, str]] = Counter()
        """How often what happened."""
        self.last: dict[Stage, Happening] = {}
        self.newest = 0
        self._seconds: dict[Stage, deque[tuple[int, int]]] = defaultdict(lambda: deque(maxlen=SECONDS * 2))

    def take(self, happenings: Iterable[Happening]) -> None:
        """Count these, which must come in order and each once."""
        for happening in happenings:
            self.newest = happening.number
            self.last[happening.stage] = happening
            self.what[happening.stage, happening.what] += 1
            for name, value in happening.facts.items():
                if type(value) is int:
                    self.facts[happening.stage, name] += value
            amount = _amount(happening)
            self.total[happening.stage] += amount
            self._add(happening.stage, int(happening.at), amount)

    def rate(self, stage: Stage, now: float) -> list[int]:
        """What passed in each of the last 60 whole seconds, oldest first."""
        return per_second(self._seconds[stage], now)

    def _add(self, stage: Stage, second: int, amount: int) -> None:
        seconds = self._seconds[stage]
        if seconds and seconds[-1][0] >= second:
            seconds[-1] = (seconds[-1][0], seconds[-1][1] + amount)
        else:
            seconds.append((second, amount))


def per_second(amounts: Iterable[tuple[int, int]], now: float) -> list[int]:
    """Sums of (second, amount) for each of the last 60 whole seconds, oldest first."""
    sums: Counter[int] = Counter()
    for second, amount in amounts:
        sums[second] += amount
    return [sums[second] for second in range(int(now) - SECONDS + 1, int(now) + 1)]


def _amount(happening: Happening) -> int:
    fact = AMOUNTS.get(happening.stage)
    value = happening.facts.get(fact, 0) if fact else 1
    return value if type(value) is int else 0
