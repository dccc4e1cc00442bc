"""Repairs: the operator's own function over failed records, found, checked and called.

It is foreign code. Whatever it does costs one record, which stays failed, and is reported without what the
record says: an exception's text can quote it, so only its class and its line in the function's file are kept.
"""

import hashlib
import importlib
import inspect
import sys
import traceback
from collections.abc import Callable
from types import CodeType
from typing import Any, NamedTuple

from transforms.failed.error_objects import FailedRecord


class RepairNotFoundError(LookupError):
    """`--repair` names no function that can be called with a record's bytes."""


class RepairFailedError(ValueError):
    """The repair function raised, or gave something that is neither bytes nor None."""


class Repair(NamedTuple):
    """Makes a record whole: its bytes in, better bytes out (several events on lines of their own are fine).
    None leaves the record as it is.

    Attributes:
        name: `module:function`.
        function: what is called.
        version: changes with the source of the function's module, so that a changed repair is run again.
    """

    name: str
    function: Callable[[bytes], bytes | None]
    version: str = ""


def repaired(repair: Repair, record: FailedRecord) -> bytes | None:
    """What the repair makes of the record. Raises RepairFailedError."""
    try:
        better: Any = repair.function(record.raw)
    except (Exception, SystemExit) as error:  # noqa: BLE001  the function is the operator's, and may do anything
        what = f"raised {type(error).__name__}{_place(error, repair)}"
    else:
        if better is None or isinstance(better, bytes):
            return better
        what = f"returned {type(better).__name__}, which is neither bytes nor None"
        if inspect.iscoroutine(better):
            better.close()
    raise RepairFailedError(f"{repair.name} {what}, on record {record.record_id}")


def _place(error: BaseException, repair: Repair) -> str:
    """The line in the file of the function at which the error came up."""
    code = getattr(inspect.unwrap(repair.function), "__code__", None)
    if not isinstance(code, CodeType):
        return ""
    lines = [
        line
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == code.co_filename
    ]
    return f" in line {lines[-1]}" if lines else ""


def find_repair(name: str) -> Repair:
    """The repair `module:function`, from the working directory or an installed module.

    Raises RepairNotFoundError, also for a module that cannot be imported.
    """
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise RepairNotFoundError(f"--repair {name}: {_WRITE_IT_AS}")
    sys.path.insert(0, "")  # a repair usually stands in a file of the directory one works in
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise RepairNotFoundError(f"--repair {name}: {error}. {_WRITE_IT_AS}") from error
    except (Exception, SystemExit) as error:
        raise RepairNotFoundError(
            f"--repair {name}: the module {module} cannot be imported, it raises "
            f"{type(error).__name__}: {error}. Fix it and run this again."
        ) from error
    finally:
        sys.path.remove("")
    if not callable(found):
        raise RepairNotFoundError(f"--repair {name}: that is a {type(found).__name__}, not a function.")
    _check_signature(name, found)
    return Repair(name, found, _version(found))


_WRITE_IT_AS = (
    "Write it as `module:function`; the module is looked for in this directory and among the installed ones."
)


def _check_signature(name: str, function: Callable[..., Any]) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # some built-in functions have none; a call will tell
    try:
        signature.bind(b"")
    except TypeError as error:
        raise RepairNotFoundError(
            f"--repair {name}: it takes {signature}, and has to take one argument, the record's bytes."
        ) from error


def _version(function: Callable[..., Any]) -> str:
    module = inspect.getmodule(function)
    try:
        source = inspect.getsource(module if module is not None else function)
    except (OSError, TypeError):
        return ""
    return hashlib.sha256(source.encode()).hexdigest()[:16]
