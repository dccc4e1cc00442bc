"""Rows as aligned text, for results on stdout."""

from collections.abc import Iterable, Sequence


def text_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns two spaces apart; whole numbers to the right. Control characters are shown as `\\u....`."""
    body = [[_safe(cell) for cell in row] for row in rows]
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


def _safe(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
