"""Events in: from programs, files and the simulator to a Kinesis stream, none of them lost without a trace.

The names of `producers.public` are loaded on first use: whoever reads only `producers.contracts` pays for
nothing else.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from producers.public import *  # noqa: F403


def __getattr__(name: str) -> Any:
    # Classes only: a submodule, which Python asks for here as well, must not load them all.
    if name[:1].isupper():
        from importlib import import_module

        public = import_module("producers.public")
        if hasattr(public, name):
            return getattr(public, name)
    raise AttributeError(f"module 'producers' has no attribute {name!r}")
