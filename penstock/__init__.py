"""What a service imports: `from penstock import Producer`. A stream's contract imports `penstock.contracts`.

The names are those of `producers.public`, loaded on first use, so that `penstock.contracts` brings no AWS
library along.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from producers.public import *  # noqa: F403


def __getattr__(name: str) -> Any:
    from producers import __getattr__ as load

    return load(name)
