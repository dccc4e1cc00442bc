"""What every report must say, computed from what producers were told is accepted. Plain Python over plain
events: no SQL, nothing of the product.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from benchmarks.chaos_traffic import Happening

Row = Mapping[str, Any]
STEPS = ("page_viewed", "product_viewed", "cart_updated", "order_placed")
SESSION_GAP = timedelta(minutes=30)
RANK_TOLERANCE = 0.03
"""Reports take approximate percentiles: the value must be one of the ranks this close to the wanted one."""


@dataclass
class Expected:
    """Everything that was accepted so far; what the lake says of arrivals is told in `arrived`."""

    events: list[Happening] = field(default_factory=list)
    poison: int = 0

    def add(self, accepted: Iterable[Happening]) -> None:
        """More events were accepted, each of them for the first time."""
        self.events += accepted

    def differences(self, reports: Mapping[str, Sequence[Row]]) -> list[str]:
        """Every value of the reports that is not what it must be, as a sentence."""
        found: list[str] = []
        found += _compared("traffic_by_hour", ("event_hour",), self._traffic(), reports)
        found += _compared("top_pages_by_day", ("event_date", "path"), self._pages(), reports)
        found += _compared("orders_by_hour", ("event_hour", "currency"), self._orders(), reports)
        found += _compared("funnel_by_day", ("event_date", "step"), self._funnel(), reports)
        found += _compared("sessions_by_day", ("event_date",), self._sessions(), reports)
        found += _compared("health_by_hour", ("event_hour",), self._health(), reports)
        return found

    def _traffic(self) -> dict[tuple[str, ...], Row]:
        return {
            (hour,): {
                "page_views": len(views),
                "visitors": len({view.client for view in views}),
                "bytes_sent": sum(view.payload["bytes_sent"] for view in views),
                "errors": sum(view.payload["status"] >= 400 for view in views),
            }
            for hour, views in self._grouped(_hour, "page_viewed").items()
        }

    def _pages(self) -> dict[tuple[str, ...], Row]:
        grouped: defaultdict[tuple[str, ...], list[Happening]] = defaultdict(list)
        for day, views in self._grouped(_day, "page_viewed").items():
            for view in views:
                grouped[day, view.payload["url"]].append(view)
        return {
            key: {"page_views": len(views), "visitors": len({view.client for view in views})}
            for key, views in grouped.items()
        }

    def _orders(self) -> dict[tuple[str, ...], Row]:
        grouped: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for hour, orders in self._grouped(_hour, "order_placed").items():
            for order in orders:
                grouped[hour, order.payload["currency"]].append(order.payload["total_minor"])
        return {
            key: {
                "orders": len(totals),
                "revenue_minor": sum(totals),
                "average_order_minor": sum(totals) / len(totals),
            }
            for key, totals in grouped.items()
        }

    def _funnel(self) -> dict[tuple[str, ...], Row]:
        clients: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for event in self.events:
            clients[_day(event.time), event.kind].add(event.client)
        rows: dict[tuple[str, ...], Row] = {}
        for day in {day for day, _ in clients}:
            first = len(clients[day, STEPS[0]])
            for number, kind in enumerate(STEPS, start=1):
                visitors = len(clients[day, kind])
                name = f"{number} {kind.partition('_')[0]}"
                rows[day, name] = {"visitors": visitors, "rate": visitors / first if first else None}
        return rows

    def _sessions(self) -> dict[tuple[str, ...], Row]:
        rows: dict[tuple[str, ...], Row] = {}
        for day, views in self._grouped(_day, "page_viewed").items():
            lengths: list[float] = []
            counts: list[int] = []
            times: defaultdict[str, list[datetime]] = defaultdict(list)
            for view in views:
                times[view.client].append(view.time)
            for each in times.values():
                for session in _sessions(sorted(each)):
                    counts.append(len(session))
                    lengths.append((session[-1] - session[0]) / timedelta(seconds=1))
            rows[(day,)] = {
                "sessions": len(counts),
                "bounces": counts.count(1),
                "median_seconds": Percentile(lengths, 0.5),
                "p95_seconds": Percentile(lengths, 0.95),
            }
        return rows

    def _health(self) -> dict[tuple[str, ...], Row]:
        counted = Counter(_hour(event.time) for event in self.events)
        return {(hour,): {"events": count} for hour, count in counted.items()}

    def _grouped(self, by: Callable[[datetime], str], kind: str) -> dict[str, list[Happening]]:
        grouped: defaultdict[str, list[Happening]] = defaultdict(list)
        for event in self.events:
            if event.kind == kind:
                grouped[by(event.time)].append(event)
        return grouped


class Percentile:
    """Equal to any number whose rank among the values is close enough to the wanted one."""

    def __init__(self, values: Sequence[float], wanted: float) -> None:
        self._values = sorted(values)
        self._wanted = wanted

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, int | float):
            return False
        last = len(self._values) - 1
        low = self._values[max(0, int(last * (self._wanted - RANK_TOLERANCE)))]
        high = self._values[min(last, int(last * (self._wanted + RANK_TOLERANCE)) + 1)]
        return low - 0.001 <= other <= high + 0.001

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"about the {self._wanted:.0%} rank of {len(self._values)} values"


def _sessions(times: Sequence[datetime]) -> Iterable[list[datetime]]:
    current: list[datetime] = []
    for time in times:
        if current and time > current[-1] + SESSION_GAP:
            yield current
            current = []
        current.append(time)
    if current:
        yield current


def _compared(
    report: str,
    keys: tuple[str, ...],
    wanted: Mapping[tuple[str, ...], Row],
    reports: Mapping[str, Sequence[Row]],
) -> list[str]:
    found: list[str] = []
    rows: dict[tuple[str, ...], Row] = {}
    for row in reports[report]:
        key = tuple(str(row[name]) for name in keys)
        if key in rows:
            found.append(f"{report} {'/'.join(key)} stands twice")
        rows[key] = row
    found += [f"{report} lacks {'/'.join(key)}" for key in sorted(wanted.keys() - rows.keys())]
    found += [
        f"{report} has {'/'.join(key)}, where nothing was sent" for key in sorted(rows.keys() - wanted.keys())
    ]
    for key in sorted(wanted.keys() & rows.keys()):
        for name, value in wanted[key].items():
            if not _equal(value, rows[key][name]):
                found.append(f"{report} {'/'.join(key)} {name}: {rows[key][name]!r}, must be {value!r}")
    return found


def _equal(wanted: object, found: object) -> bool:
    if isinstance(wanted, float) and isinstance(found, float):
        return abs(wanted - found) <= 1e-9 * max(1.0, abs(wanted))
    return wanted == found


def _hour(time: datetime) -> str:
    return time.strftime("%Y-%m-%d-%H")


def _day(time: datetime) -> str:
    return time.strftime("%Y-%m-%d")
