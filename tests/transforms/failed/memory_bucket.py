"""A bucket in memory, and error objects as Firehose writes them."""

import base64
import hashlib
import json
from collections.abc import Iterator

from transforms.failed.bucket import ObjectName


class MemoryObjects:
    """See `transforms.failed.recent.Listed`. `writes` counts changes; `fails_after` stops like a crash.

    `sizes` has what is said of objects; of others it is 0.
    """

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.writes = 0
        self.sizes: dict[str, int] = {}
        self.fails_after: int | None = None

    def names(self, prefix: str) -> Iterator[ObjectName]:
        for key in sorted(self.bodies):
            if key.startswith(prefix):
                tag = hashlib.md5(self.bodies[key], usedforsecurity=False).hexdigest()
                yield ObjectName(key, tag, self.sizes.get(key, 0))

    def folders(self, prefix: str) -> Iterator[str]:
        below = (key.removeprefix(prefix) for key in sorted(self.bodies) if key.startswith(prefix))
        yield from dict.fromkeys(each.partition("/")[0] for each in below if "/" in each)

    def get(self, key: str) -> bytes | None:
        return self.bodies.get(key)

    def put(self, key: str, data: bytes) -> None:
        if self.fails_after is not None and self.writes >= self.fails_after:
            raise ConnectionError("stopped here")
        self.writes += 1
        self.bodies[key] = data


def error_line(raw: bytes, arrival_ms: int, **members: object) -> bytes:
    """One document of an error object of a failed transformation."""
    document = {
        "attemptsMade": 1,
        "arrivalTimestamp": arrival_ms,
        "errorCode": "Lambda.ProcessingFailedStatus",
        "errorMessage": "ProcessingFailed status set for record",
        "attemptEndingTimestamp": arrival_ms + 60_000,
        "rawData": base64.b64encode(raw).decode(),
        "lambdaArn": "arn:aws:lambda:eu-central-1:111122223333:function:transform:live",
        **members,
    }
    return json.dumps(document).encode() + b"\n"
