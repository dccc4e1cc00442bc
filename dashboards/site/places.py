"""Where the site's data lies in its bucket (pure). No name in a key is a value of an event."""

import hashlib
import re
from collections.abc import Iterable

LATEST = "data/latest.json"
DATA, ROWS = "data/", "rows/"
"""What sheets and the rows behind them lie below."""
_VERSION = re.compile(r"\d{13}-[0-9a-f]{12}")


def version_of(read_at: int, digest: str) -> str:
    """A version's name: later ones come later in order of names."""
    return f"{read_at:013d}-{digest[:12]}"


def is_version(text: str) -> bool:
    """Whether a text can be a version's name."""
    return _VERSION.fullmatch(text) is not None


def audience_of(groups: Iterable[str]) -> str:
    """Names the people who are in these groups; 16 hexadecimal digits."""
    return hashlib.sha256("\n".join(sorted(groups)).encode()).hexdigest()[:16]


def sheet_key(dashboard: str, sheet: str, version: str, audience: str = "") -> str:
    """A sheet as it is drawn for an audience, or for those who see every row."""
    return f"{DATA}{dashboard}/{sheet}/{version}{'-' if audience else ''}{audience}.json.gz"


def rows_key(dashboard: str, data_set: str, version: str) -> str:
    """The rows of a dataset, as Parquet."""
    return f"{ROWS}{dashboard}/{data_set}/{version}.parquet"
