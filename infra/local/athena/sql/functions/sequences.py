"""sequence: numbers, dates and timestamps from one to another. Source: Trino documentation, "Array functions"."""

from infra.local.athena.sql.casts import fail
from infra.local.athena.sql.functions.registry import FUNCTIONS, MOST_ENTRIES, Call
from infra.local.athena.sql.tree import Sql, build
from infra.local.athena.sql.types import BIGINT, Type, array

_DIRECTION = (
    "'sequence stop value should be greater than or equal to start value if step is greater than zero "
    "otherwise stop should be less than or equal to start'"
)


def _checked(listed: Sql, of: Type, start: Sql, stop: Sql, step: Sql, entries: Sql) -> Sql:
    """The list, or Trino's errors. `step` and `entries` are numbers."""
    made = array(of).duck

    def failing(message: str) -> Sql:
        return fail("INVALID_FUNCTION_ARGUMENT", message, made)

    return build(
        "CASE WHEN {} IS NULL OR {} IS NULL OR {} IS NULL THEN NULL WHEN {} = 0 THEN {} "
        "WHEN ({} > 0 AND {} > {}) OR ({} < 0 AND {} < {}) THEN {} WHEN {} > {} THEN {} ELSE {} END",
        start, stop, step, step, failing("'step must not be zero'"),
        step, start, stop, step, start, stop, failing(_DIRECTION),
        entries, MOST_ENTRIES, failing(f"'result of sequence function must not have more than {MOST_ENTRIES} entries'"),
        listed,
    )  # fmt: skip


def _numbers(call: Call) -> tuple[Sql, Type]:
    start, stop = call.sqls[:2]
    step = call.sqls[2] if len(call.args) == 3 else build("CASE WHEN {} < {} THEN -1 ELSE 1 END", stop, start)
    entries = build("(CAST({} AS HUGEINT) - {}) // {} + 1", stop, start, step)
    # DuckDB evaluates every branch of a CASE over constants: the list itself must stay short.
    end = build("CASE WHEN {} <= {} THEN {} ELSE {} END", entries, MOST_ENTRIES, stop, start)
    listed = build("generate_series({}, {}, {})", start, end, step)
    return _checked(listed, BIGINT, start, stop, step, entries), array(BIGINT)


def _times(call: Call) -> tuple[Sql, Type]:
    of = call.args[0].type
    start, stop = (build("CAST({} AS TIMESTAMP)", sql) for sql in call.sqls[:2])
    if len(call.args) == 3 and call.args[2].type.name == "interval year to month":
        given = call.sqls[2]
        step = build("(date_part('year', {}) * 12 + date_part('month', {}))", given, given)
        entries = build("date_sub('month', {}, {}) // {} + 1", start, stop, step)
        each = build(
            "{} + to_months(CAST(i * {} AS INTEGER))", start, step
        )  # of the start: months are unequal
    else:
        day = 86_400_000_000
        step = (
            build("epoch_us({})", call.sqls[2])
            if len(call.args) == 3
            else build("CASE WHEN {} < {} THEN -{} ELSE {} END", stop, start, day, day)
        )
        entries = build("(epoch_us({}) - epoch_us({})) // {} + 1", stop, start, step)
        each = build("{} + to_microseconds(i * {})", start, step)
    last = build("least({}, {}) - 1", entries, MOST_ENTRIES)
    listed = build("list_transform(generate_series(0, {}), lambda i: CAST({} AS {}))", last, each, of.duck)
    checked = _checked(listed, of, start, stop, step, entries)
    if of.name == "date" and len(call.args) == 3 and call.args[2].type.name == "interval day to second":
        hours = fail(
            "INVALID_FUNCTION_ARGUMENT",
            "'sequence step must be a day interval if start and end values are dates'",
            array(of).duck,
        )
        checked = build("CASE WHEN {} % 86400000000 <> 0 THEN {} ELSE {} END", step, hours, checked)
    return checked, array(of)


FUNCTIONS.add("sequence(bigint, bigint) array(bigint)", _numbers)
FUNCTIONS.add("sequence(bigint, bigint, bigint) array(bigint)", _numbers)
FUNCTIONS.add("sequence(date, date) array(date)", _times)
for _of in ("date", "timestamp"):
    for _step in ("interval day to second", "interval year to month"):
        FUNCTIONS.add(f"sequence({_of}, {_of}, {_step}) array({_of})", _times)
