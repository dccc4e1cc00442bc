"""Every failure as one sentence that says what, where and what to do next, and its exit code."""

import errno
import os
import sys
import traceback
from typing import TextIO

import typer
from typer._click.exceptions import ClickException

from infra.command.exits import Exit
from infra.placement import placed_module
from producers.contracts import message as shown

OURS = tuple(
    placed_module(f"{package}.") for package in ("producers", "transforms", "queries", "dashboards", "infra")
)


def report(error: BaseException, stream: TextIO, *, debug: bool) -> int:
    """Write what `error` means to `stream`; return the exit code.

    A traceback is written only with `debug`: to somebody who uses the command it says nothing.
    """
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else Exit.FAILED
    if isinstance(error, BrokenPipeError):
        return _silenced()
    if debug:
        print(shown("".join(traceback.format_exception(error)).rstrip()), file=stream)
    if isinstance(error, ClickException):
        error.message = shown(error.message)
        error.show(stream)
        return Exit.USAGE
    message, code = explain(error)
    print(f"penstock: {shown(message)}", file=stream)
    return code


def explain(error: BaseException) -> tuple[str, Exit]:
    """The sentence and the exit code of an error that is not a mistake on the command line."""
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return "interrupted. What was started goes on; `penstock local down` stops it.", Exit.INTERRUPTED
    module = type(error).__module__
    if f"{module}.".startswith(OURS):
        return str(error).strip(), getattr(error, "exit_code", Exit.FAILED)
    if isinstance(error, OSError):
        return _system(error), Exit.FAILED
    if module == "botocore.exceptions":
        return _aws(error), Exit.FAILED
    if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
        return f"no space left on the disk below {os.getcwd()}. {_FREE}", Exit.FAILED  # noqa: PTH109 - text only
    return (
        f"a defect of Penstock: {type(error).__name__}: {_one_line(error)}. "
        "Set PENSTOCK_DEBUG=1 and run it again to see where; please report it with that output."
    ), Exit.UNEXPECTED


_FREE = "Free some, or `penstock local reset` to empty the local cloud."


def _system(error: OSError) -> str:
    place = f" {error.filename}" if error.filename else ""
    match error.errno:
        case errno.ENOENT:
            return f"there is no file{place}. Check the path."
        case errno.EACCES | errno.EPERM:
            return f"no right to use{place}. Change its permissions, or run in another directory."
        case errno.ENOSPC | errno.EDQUOT:
            return f"no space left on the disk for{place or ' what has to be written'}. {_FREE}"
        case errno.EADDRINUSE:
            return f"a port is taken ({error.strerror}). Choose another: PENSTOCK_LOCAL_PORT=4810"
        case errno.ECONNREFUSED:
            return "nothing answers at the pipeline's address. Look with: penstock local status"
    return f"{error.strerror or _one_line(error)}{':' if place else ''}{place}."


def _aws(error: BaseException) -> str:
    from botocore import exceptions

    if isinstance(error, exceptions.EndpointConnectionError | exceptions.HTTPClientError):
        return f"{_one_line(error)} Look with: penstock local status"
    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return "no AWS credentials. Set AWS_PROFILE, or use the local cloud: penstock --target local"
    if isinstance(error, exceptions.NoRegionError):
        return "no AWS region. Set AWS_REGION, for example AWS_REGION=eu-central-1"
    if isinstance(error, exceptions.ClientError):
        said = error.response.get("Error", {})
        return f"AWS refused {error.operation_name} ({said.get('Code', '')}): {said.get('Message', '')}"
    return _one_line(error)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _silenced() -> int:
    """The reader of our output went away (`| head`): end without a word, and write nothing more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Exit.OK
