"""Keeps pandas out of a process that has no use for it.

Where it is installed, pyarrow imports it to ask whether a list is one of its series: half a second of a
processor and 40 MB for every process that makes an array.
"""

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec


class _Absent(MetaPathFinder):
    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        if fullname == "pandas":
            raise ModuleNotFoundError("This process does without pandas.", name=fullname)
        return None


def keep_out() -> None:
    """From now on this process, and what it forks, does not find pandas; unless it is imported already."""
    sys.meta_path.insert(0, _Absent())
