"""A payload's contract over whole columns: which rows surely keep it, a column at a time (pure).

It never says what is wrong, and may leave out rows that are right. Whoever asks looks at those one by one, so
that msgspec alone decides what becomes of them.
"""

import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NamedTuple,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from msgspec import Meta

from producers.contracts.envelope import Payload

if TYPE_CHECKING:
    import pyarrow as pa

_REMEMBERED = 65_536
"""Values of one field whose verdicts are kept."""
_BOUNDS = {"ge": "greater_equal", "gt": "greater", "le": "less_equal", "lt": "less"}
_TEXT_RULES = frozenset({"pattern", "min_length", "max_length"})


class Column(NamedTuple):
    """A field that can be checked as a column.

    Attributes:
        kind: `str`, `int`, `float` or `bool`.
        required: whether it has to be there.
        bounds: (function of `pyarrow.compute`, bound).
        decides: for values whose rules only msgspec knows: whether one keeps them.
    """

    name: str
    kind: type
    required: bool
    bounds: Sequence[tuple[str, int | float]]
    decides: Callable[[Any], bool] | None


class _Known(NamedTuple):
    """Values that keep a field's rules, and those that break them."""

    keeping: set[Any]
    breaking: set[Any]


class ColumnChecks:
    """The checks of one payload class. Attributes: columns: its fields."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = columns
        self._known = {column.name: _Known(set(), set()) for column in columns}

    def passing(self, values: Mapping[str, "pa.Array"], rows: int) -> "pa.BooleanArray | None":
        """Which of the rows keep the contract; None where no column is in doubt. A column that is not
        among `values` is empty.
        """
        import pyarrow.compute as pc

        found = None
        for column in self.columns:
            array = values.get(column.name)
            verdict = self._missing(column, rows) if array is None else self._verdict(column, array)
            if verdict is not None:
                found = verdict if found is None else pc.and_(found, verdict)
        return found

    def _missing(self, column: Column, rows: int) -> "pa.BooleanArray | None":
        import pyarrow as pa

        return pa.repeat(False, rows) if column.required else None

    def _verdict(self, column: Column, array: "pa.Array") -> "pa.BooleanArray | None":
        import pyarrow as pa
        import pyarrow.compute as pc

        if array.type != arrow_kind(column.kind):
            return pa.repeat(False, len(array))
        found = [getattr(pc, function)(array, bound) for function, bound in column.bounds]
        if column.decides is not None and (decided := self._decided(column, array)) is not None:
            found.append(decided)
        verdict = found[0] if found else None
        for more in found[1:]:
            verdict = pc.and_(verdict, more)
        if not array.null_count:
            return verdict
        if verdict is None:
            return array.is_valid() if column.required else None
        return pc.fill_null(verdict, not column.required)

    def _decided(self, column: Column, array: "pa.Array") -> "pa.BooleanArray | None":
        """A verdict for each value, asked for once; None when all of them keep the rules."""
        import pyarrow as pa
        import pyarrow.compute as pc

        packed = array.dictionary_encode()
        known, decides = self._known[column.name], column.decides
        assert decides is not None
        values = packed.dictionary.to_pylist()
        if known.keeping.issuperset(values):
            return None
        if len(known.keeping) + len(known.breaking) > _REMEMBERED:
            known.keeping.clear()
            known.breaking.clear()
        for value in values:
            if value not in known.keeping and value not in known.breaking:
                (known.keeping if decides(value) else known.breaking).add(value)
        verdicts = [value in known.keeping for value in values]
        if all(verdicts):
            return None
        return pc.take(pa.array(verdicts, pa.bool_()), packed.indices)


def arrow_kind(kind: type) -> "pa.DataType":
    """The Arrow type of a field of this kind."""
    import pyarrow as pa

    return {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}[kind]


def column_checks(
    payload: type[Payload], accepts_text: Callable[[str], bool] | None = None
) -> ColumnChecks | None:
    """The checks of a payload class; None for one that msgspec has to look at row by row.

    That is one with fields of other kinds than text, numbers and flags, or with values in place of what is
    not there. `accepts_text` is asked of every text as well.
    """
    if not _is_plain(payload):
        return None
    hints = get_type_hints(payload, include_extras=True)
    columns = []
    for field in msgspec.structs.fields(payload):
        if field.default_factory is not msgspec.NODEFAULT or field.default not in (None, msgspec.NODEFAULT):
            return None
        column = _column(field.name, hints[field.name], required=field.required, accepts_text=accepts_text)
        if column is None:
            return None
        columns.append(column)
    return ColumnChecks(columns)


def _is_plain(payload: type[Payload]) -> bool:
    config = payload.__struct_config__
    return (
        bool(payload.__struct_fields__)
        and payload.__struct_fields__ == payload.__struct_encode_fields__
        and not (config.tag or config.array_like)
        and not hasattr(payload, "__post_init__")
    )


def _column(
    name: str, hint: Any, *, required: bool, accepts_text: Callable[[str], bool] | None
) -> Column | None:
    kinds, metas = set(), list[Meta]()
    for part in _parts(hint):
        if isinstance(part, Meta):
            metas.append(part)
        elif part is not types.NoneType:
            kinds.add(part)
    if len(kinds) != 1:
        return None
    kind = kinds.pop()
    rules = [rule for meta in metas for rule in _rules(meta)]
    is_choice = get_origin(kind) is Literal
    if is_choice:
        of = {type(value) for value in get_args(kind)}
        if len(of) != 1:
            return None
        kind = of.pop()
    if kind not in (str, int, float, bool):
        return None
    if kind is str or is_choice:
        if any(rule not in _TEXT_RULES for rule, _ in rules):
            return None
        further = accepts_text if kind is str else None
        decides = _decider(hint, further) if rules or is_choice or further else None
        return Column(name, kind, required, (), decides)
    if any(rule not in _BOUNDS or not _fits(kind, bound) for rule, bound in rules):
        return None
    return Column(name, kind, required, [(_BOUNDS[rule], kind(bound)) for rule, bound in rules], None)


def _fits(kind: type, bound: Any) -> bool:
    return kind is float or (isinstance(bound, int) and -(2**63) <= bound < 2**63)


def _rules(meta: Meta) -> Iterator[tuple[str, Any]]:
    for name in (*_BOUNDS, *_TEXT_RULES, "multiple_of", "tz"):
        if (value := getattr(meta, name)) is not None:
            yield name, value


def _parts(hint: Any) -> Iterator[Any]:
    """What an annotation is made of: kinds of values, and rules."""
    if get_origin(hint) is Annotated:
        yield from hint.__metadata__
        yield from _parts(hint.__origin__)
    elif get_origin(hint) in (Union, types.UnionType):
        for each in get_args(hint):
            yield from _parts(each)
    else:
        yield hint


def _decider(hint: Any, further: Callable[[str], bool] | None) -> Callable[[Any], bool]:
    def decides(value: Any) -> bool:
        if value is None:
            return True
        try:
            msgspec.convert(value, hint)
        except msgspec.ValidationError:
            return False
        return further is None or further(value)

    return decides
