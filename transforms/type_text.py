"""Types as text. Hive writes `map<string,array<int>>`, Trino `map(varchar, array(integer))`."""


def type_parts(text: str, brackets: str = "<>()") -> list[str]:
    """The parts between commas outside of inner brackets, without blanks around them; none of blank text.

    Args:
        text: what stands between a type's outer brackets, or a list of declarations.
        brackets: pairs that hold their commas together. Where `<` compares, pass "()".
    """
    if not text.strip():
        return []
    opening, closing = brackets[::2], brackets[1::2]
    found, depth, start = [], 0, 0
    for at, character in enumerate(text):
        depth += (character in opening) - (character in closing)
        if character == "," and not depth:
            found.append(text[start:at].strip())
            start = at + 1
    return [*found, text[start:].strip()]
