"""The page of the report site as it is put into its bucket."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

INDEX = "index.html"
ASKED_FOR = "no-cache"


@dataclass(frozen=True)
class ShellFile:
    """A file of the page: its text, and what a browser learns about it."""

    text: str
    media_type: str
    cache_control: str


def shell() -> Mapping[str, ShellFile]:
    """Every file by its key. `index.html` comes last: what it names is there by then."""
    page = files("dashboards.site").joinpath("static", INDEX).read_text(encoding="utf-8")
    return {INDEX: ShellFile(page, "text/html; charset=utf-8", ASKED_FOR)}
