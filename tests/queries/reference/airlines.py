"""A reference table of airlines, as a project has it."""

from pathlib import Path

from queries.reference.declaration import ReferenceTable, parse_reference

DECLARATION = """\
title = "Airlines by their code"
owner = "airports"
keys = ["carrier"]

[columns]
carrier = "varchar"
name = "varchar"
founded = "integer"
fee = "decimal(5,2)"
joined = "date"
"""
ROWS = """\
carrier,name,founded,fee,joined
UA,United Air Lines Inc.,1926,12.50,1997-05-14
AA,American Airlines Inc.,1930,,
"""


def written(folder: Path, rows: str = ROWS, declaration: str = DECLARATION) -> ReferenceTable:
    """The table, declared in the folder, with these rows beside the declaration."""
    file = folder / "airlines.toml"
    file.write_text(declaration, encoding="utf-8")
    (folder / "airlines.csv").write_text(rows, encoding="utf-8")
    return parse_reference(declaration, str(file))
