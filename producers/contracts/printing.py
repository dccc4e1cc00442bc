"""How values are shown to people: as data, whatever they hold.

An event's value can hold anything: escape sequences that retitle or clear a terminal, marks that turn the
direction of text, line breaks that forge a line of their own. All that is printed goes through here, on every
floor; that is why it stands on the lowest one. JSON output is left as it is: it escapes all of this itself.
"""

import sys

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(value: object) -> str:
    """The value as text of one line, in which every character is one that can be seen.

    Control characters (C0, DEL, C1), marks of direction, line separators, halves of surrogate pairs and
    characters without a shape are shown as escapes: `\\n`, `\\x1b`, `\\u202e`, `\\U000e0001`.
    """
    text = str(value)
    return text if text.isprintable() else "".join(map(_shown, text))


def printable_lines(text: str) -> str:
    """`printable`, but line breaks and tabs stay: for text that is laid out already."""
    if text.isprintable():
        return text
    return "".join(each if each in "\n\t" else _shown(each) for each in text)


def message(text: str) -> str:
    """`printable_lines` for one message: further lines are indented, so that none looks like one of ours."""
    return printable_lines(text).replace("\n", "\n  ")


def echo(text: str = "", *, err: bool = False, end: str = "\n") -> None:
    """Write laid-out text to stdout, or with `err` to stderr."""
    stream = sys.stderr if err else sys.stdout
    stream.write(printable_lines(text) + end)
    stream.flush()


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
