"""Hive's spelling of types, in which the contracts write them, as Trino's, in which Athena's SQL does."""

from collections.abc import Iterator

from transforms.contracts import Column, type_parts

_PLAIN = {"string": "varchar", "timestamp": "timestamp(3)", "int": "integer"}


def struct_members(hive_type: str) -> Iterator[Column]:
    """The members of `struct<name:type,...>`."""
    for member in type_parts(hive_type.removeprefix("struct<").removesuffix(">")):
        name, _, kind = member.partition(":")
        yield Column(name, kind)


def trino_type(hive_type: str) -> str:
    """A Hive type in Trino's spelling."""
    if hive_type.startswith("struct<"):
        inner = (f"{member.name} {trino_type(member.type)}" for member in struct_members(hive_type))
        return f"row({', '.join(inner)})"
    for kind in ("array", "map"):
        if hive_type.startswith(f"{kind}<"):
            inside = type_parts(hive_type.removeprefix(f"{kind}<").removesuffix(">"))
            return f"{kind}({', '.join(map(trino_type, inside))})"
    return _PLAIN.get(hive_type, hive_type)
