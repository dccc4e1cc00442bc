"""Rows as aligned text, for results on stdout."""

from collections.abc import Iterable, Sequence

from producers.contracts import printable


def text_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns two spaces apart; whole numbers to the right. Control characters are escaped."""
    body = [[printable("" if cell is None else cell) for cell in row] for row in rows]
    numeric = [all(row[column].lstrip("-").isdigit() for row in body) for column in range(len(header))]
    lines = [list(header), *body]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right and number else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for number, line in enumerate(lines)
    )
