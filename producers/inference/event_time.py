"""Which column, or which columns together, say when the event happened (pure)."""

from collections.abc import Mapping

from producers.inference.model import InferenceError, Profile, TimeColumns
from producers.inference.names import snake, words_of
from producers.inference.time_forms import composed

_NAMES = frozenset(
    {
        "time", "timestamp", "ts", "datetime", "date", "event_time", "occurred_at", "happened_at", "at",
        "started", "started_at", "start_time", "start_date", "created", "created_at", "placed_at",
        "logged_at", "recorded_at", "when", "day",
    }
)  # fmt: skip
_LATER = frozenset(
    {
        "end",
        "ended",
        "updated",
        "modified",
        "due",
        "expires",
        "expiry",
        "birth",
        "born",
        "deleted",
        "finished",
    }
)


def event_time(profiles: Mapping[str, Profile], times: Mapping[str, TimeColumns]) -> TimeColumns:
    """The event's time. Raises InferenceError where nothing in the sample is one."""
    made = list(composed(profiles, times))
    complete = [name for name in times if not profiles[name].missing]
    best = max(complete or times, key=lambda name: _worth(profiles[name], times[name]), default=None)
    if best is not None and (not made or best not in made[0].columns or len(made[0].columns) < 2):
        return times[best]
    if made:
        return made[0]
    names = ", ".join(list(profiles)[:12]) + (", ..." if len(profiles) > 12 else "")
    raise InferenceError(
        f"No column of the sample is a time ({names}), and an event happens at one. Add a column with a time "
        "such as 2013-01-31T14:05:00Z. A table of names or codes is reference data and no stream."
    )


def _worth(profile: Profile, time: TimeColumns) -> tuple[bool, bool, bool, bool]:
    words = {*words_of(profile.name)}
    return (
        not words & _LATER,
        snake(profile.name) in _NAMES or "time" in words or "timestamp" in words,
        not time.is_by_day,
        time.is_zoned,
    )
