"""MiniStack keeps every log stream and every value of a metric for ever. This keeps the newest.

An invocation of a function makes a log stream of its own and three or four values. On AWS they expire by
age; here by number, since a snapshot of the state writes them all.
"""

from collections.abc import Callable
from typing import Any

MOST_STREAMS = 1_000
"""Newest log streams of each log group that have events."""
MOST_VALUES = 3_600
"""Newest values of each metric."""
_SLACK = 100
"""So many more may be there before the oldest are deleted."""


def trim_streams(groups: dict[str, Any], name: str, most: int = MOST_STREAMS) -> None:
    """Delete the oldest log streams of that group beyond `most`, and a slack. They lie in order of creation.

    Streams without events stay: those are made by templates, for whoever writes to them later.
    """
    streams = groups[name]["streams"] if name in groups else {}
    if len(streams) > most + _SLACK:
        written = [each for each, stream in streams.items() if stream["events"]]
        for each in written[:-most]:
            del streams[each]


def bounded(bucket: Callable[[Any], list[Any]], most: int = MOST_VALUES) -> Callable[[Any], list[Any]]:
    """MiniStack's list of a metric's values, with no more than `most` and a slack of the newest."""

    def newest(key: Any) -> list[Any]:
        values = bucket(key)
        if len(values) > most + _SLACK:
            del values[:-most]
        return values

    return newest


def install() -> None:
    """Make MiniStack use it. `expire.install` has checked the version."""
    from ministack.services import cloudwatch, cloudwatch_logs, lambda_svc

    cloudwatch._metric_bucket = bounded(cloudwatch._metric_bucket)
    emit = lambda_svc._emit_lambda_logs

    def emit_logs(func: dict[str, Any], *arguments: Any, **named: Any) -> None:
        emit(func, *arguments, **named)
        config = func.get("config") or func
        given = (config.get("LoggingConfig") or {}).get("LogGroup")
        trim_streams(cloudwatch_logs._log_groups, given or f"/aws/lambda/{config.get('FunctionName')}")

    lambda_svc._emit_lambda_logs = emit_logs
