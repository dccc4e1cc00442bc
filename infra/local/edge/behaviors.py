"""What a distribution's configuration says about where a path is answered (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True)
class Distribution:
    """A deployed distribution.

    Attributes:
        domain: CloudFront's name of it.
        api_paths: patterns of the paths that an HTTP API answers.
    """

    domain: str
    api_paths: tuple[str, ...]

    def is_of_api(self, path: str) -> bool:
        """Whether the HTTP API answers a path."""
        return any(fnmatchcase(path, pattern) for pattern in self.api_paths)


def distribution_of(domain: str, parsed: Mapping[str, Any], api: str) -> Distribution | None:
    """The distribution, as MiniStack has parsed it; None for one that is not before this API."""
    gateways = {
        name
        for name, origin in parsed["origins"].items()
        if str(origin["domain_name"]).startswith(f"{api}.execute-api.")
    }
    behaviors = parsed["ordered_behaviors"]
    if not gateways:
        return None
    return Distribution(
        domain,
        tuple(each["path_pattern"] for each in behaviors if each["target_origin_id"] in gateways),
    )
