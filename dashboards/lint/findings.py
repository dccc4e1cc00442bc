"""What a check found: where, what, and what to do."""

from dataclasses import dataclass

JsonPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Finding:
    """One defect. `path` leads to it inside the asset; `file` and `line` to the declaration, when there
    is one. `is_note`: worth knowing, and no defect.
    """

    rule: str
    asset: str
    path: JsonPath
    message: str
    fix: str
    file: str = ""
    line: int = 0
    is_note: bool = False

    @property
    def where(self) -> str:
        """`file:line`, or the asset and the path inside it."""
        return f"{self.file}:{self.line}" if self.file else f"{self.asset} {show(self.path)}"

    def __str__(self) -> str:
        kind = "note: " if self.is_note else ""
        return f"{self.where}: {kind}{self.rule}: {self.message} {self.fix}"


def show(path: JsonPath) -> str:
    """A path as people write it: `$.Sheets[0].Visuals[2]`."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
