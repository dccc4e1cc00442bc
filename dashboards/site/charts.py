"""Charts that are compiled when the dashboards are built, and given their colors when they are drawn (pure).

What a chart is compiled from follows from its declaration, but for the values that have colors. So a shape is
compiled, in which a mark stands for these values and another one for what each of them gets; and a drawing
puts the true ones in their place. Nothing that compiles is needed where drawings are made.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_DOMAIN = "\ue000domain"
_RANGE = "\ue000range "
Spec = Mapping[str, Any]
Fills = Mapping[str, Sequence[Any]]
"""Mark -> the list that stands in its place."""


class UnknownChartError(LookupError):
    """A chart has a shape that nobody compiled."""

    def __init__(self) -> None:
        super().__init__(
            "This chart was not compiled with the dashboards that are deployed; its table has its numbers. "
            "Deploy again: penstock deploy"
        )


def shape_of(spec: Spec) -> tuple[dict[str, Any], Fills]:
    """The shape of a Vega-Lite specification, and what has to be filled in to get the specification.

    Scales with a list of colors, dashes or marks over the same values become marks, one for each channel.
    """
    fills: dict[str, Sequence[Any]] = {}
    return _marked(spec, "", fills), fills


def _marked(value: Any, channel: str, fills: dict[str, Sequence[Any]]) -> Any:
    if isinstance(value, Mapping):
        domain, colors = value.get("domain"), value.get("range")
        if isinstance(domain, list) and isinstance(colors, list):
            mark = f"{_RANGE}{channel}"
            if _agree(fills, _DOMAIN, domain) and _agree(fills, mark, colors):
                return {**value, "domain": [_DOMAIN], "range": [mark]}
        # `scale` and what stands in it belong to the channel around them.
        return {
            name: _marked(member, channel if name == "scale" else name, fills)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [_marked(member, channel, fills) for member in value]
    return value


def _agree(fills: dict[str, Sequence[Any]], mark: str, values: list[Any]) -> bool:
    """Whether the mark stands for these values everywhere in the chart."""
    return fills.setdefault(mark, values) == values


def filled(compiled: Any, fills: Fills) -> Any:
    """The compiled shape with the values in place of their marks, in the texts of expressions too."""
    if isinstance(compiled, dict):
        return {name: filled(member, fills) for name, member in compiled.items()}
    if isinstance(compiled, list):
        if len(compiled) == 1 and isinstance(compiled[0], str) and compiled[0] in fills:
            return list(fills[compiled[0]])
        return [filled(member, fills) for member in compiled]
    if isinstance(compiled, str) and _DOMAIN in compiled:
        return compiled.replace(f'["{_DOMAIN}"]', _script(fills[_DOMAIN]))
    return compiled


def _script(values: Sequence[Any]) -> str:
    """A list as the compiler writes it into an expression."""
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False)


def name_of(spec: Spec) -> str:
    """16 hexadecimal digits that name a specification; equal ones have equal names."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:16]


class CompiledCharts:
    """The shapes that were compiled: name -> Vega specification."""

    def __init__(self, compiled: Mapping[str, Any]) -> None:
        self._compiled = compiled

    def __call__(self, spec: Spec) -> tuple[str, Mapping[str, Any]]:
        """The name of the specification, and its Vega one, as the preview's compiler gives them.

        Raises UnknownChartError.
        """
        shape, fills = shape_of(spec)
        found = self._compiled.get(name_of(shape))
        if found is None:
            raise UnknownChartError
        return name_of(spec), filled(found, fills)


def distinct(specs: Iterable[Spec]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every shape of some specifications once, with its name."""
    seen = set()
    for spec in specs:
        shape, _ = shape_of(spec)
        name = name_of(shape)
        if name not in seen:
            seen.add(name)
            yield name, shape
