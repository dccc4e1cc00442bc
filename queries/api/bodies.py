"""What requests say, checked (pure)."""

import re
from typing import Annotated

import msgspec

from queries.jobs.errors import RequestError
from queries.jobs.state import Backfill, Import, Request

_KEY = re.compile(r"[!-~]{1,200}")
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
_Partition = Annotated[str, msgspec.Meta(min_length=1, max_length=13)]
_Prefix = Annotated[str, msgspec.Meta(max_length=512)]


class BackfillBody(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="kind",
    tag="backfill",
    rename={"first": "from", "last": "to"},
):
    """The body of a request for a backfill: of a report, from one partition to another, both included."""

    report: _Name
    first: _Partition
    last: _Partition
    force: bool = False


class ImportBody(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="import"
):
    """The body of a request for an import: of the files of the inbox below a prefix, by a source."""

    prefix: _Prefix
    source: _Name


def read_request(body: bytes) -> Request:
    """What is asked for. Raises RequestError with the member that is wrong."""
    try:
        asked = msgspec.json.decode(body, type=BackfillBody | ImportBody)
    except (msgspec.DecodeError, RecursionError) as error:
        raise RequestError(
            f"{error}. Send a JSON object with kind, and report, from and to, or prefix and source."
        ) from error
    if isinstance(asked, ImportBody):
        return Import(prefix=asked.prefix, source=asked.source)
    return Backfill(report=asked.report, first=asked.first, last=asked.last, force=asked.force)


def read_key(header: str | None) -> str:
    """The idempotency key. Raises RequestError."""
    if not header or not _KEY.fullmatch(header):
        raise RequestError(
            "Send the header Idempotency-Key: 1 to 200 visible ASCII characters, the same ones when you send "
            "the request again."
        )
    return header
