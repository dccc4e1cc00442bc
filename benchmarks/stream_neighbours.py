"""A delivery stream in trouble beside the one that is measured: what befalls it, and that it loses nothing.

- `failing`: its function fails every batch and is tried again.
- `poisoned`: every record is bad, so that the function refuses each and all go to error objects.
- `throttled`: its Kinesis stream refuses nine of ten reads and every second listing of shards.
"""

import json
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from botocore.exceptions import ClientError

from infra.local.firehose.direct_log import DirectLog
from infra.local.firehose.pace import Pace
from tests.infra.local.firehose.harness import ARRIVAL_MS, Answerer, Delivery, MemoryStream, event

PER_REQUEST = 500
PUT_SECONDS = 0.25
"""Pause between its puts: 2,000 records a second, as two busy shards bring."""
PACE = Pace(interval_scale=1 / 240, retry_seconds=0.02)
"""Buffers of a minute are due after a quarter of a second, and the function is tried again soon."""


class Neighbour(AbstractContextManager["Neighbour"]):
    """Traffic of a stream in trouble, from entering to leaving; then everything of it is delivered.

    Attributes:
        lost: records that are in no object after all, of `put` that were put.
    """

    def __init__(self, trouble: "Trouble") -> None:
        self.put = self.lost = 0
        self._trouble, self._ended = trouble, threading.Event()
        self._traffic = threading.Thread(target=self._keep_putting)

    def __enter__(self) -> Self:
        self._trouble.delivery.worker.start()
        self._traffic.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._traffic.join()
        self._trouble.end()
        delivery = self._trouble.delivery
        assert delivery.worker.drain(300)
        delivery.worker.stop()
        assert self._trouble.happened
        failed = {json.loads(each["raw"])["name"] for each in delivery.errors()}
        self.lost = self.put - len(failed | set(delivery.names()))

    def _keep_putting(self) -> None:
        while not self.put or not self._ended.wait(PUT_SECONDS):
            self._trouble.append([event(f"n{self.put + n}") for n in range(PER_REQUEST)])
            self.put += PER_REQUEST


class Trouble(Protocol):
    """What is wrong with a stream."""

    delivery: Delivery

    @property
    def happened(self) -> int:
        """How often it has befallen the stream."""

    def append(self, records: list[bytes]) -> None:
        """Put records on the stream."""

    def end(self) -> None:
        """No more trouble, where it would keep the stream from delivering what it has."""


class OfFunction:
    """A stream that is put on directly, with this function."""

    def __init__(self, folder: Path, answer: Answerer) -> None:
        self._log = DirectLog(folder / "neighbour.sqlite")
        self.delivery = Delivery(folder, answer, direct=self._log, pace=PACE)

    @property
    def happened(self) -> int:
        return self.delivery.worker.counts.failed

    def append(self, records: list[bytes]) -> None:
        self._log.append(records, ARRIVAL_MS)
        self.delivery.worker.wake()

    def end(self) -> None:
        """Error objects are where its records belong."""


class Throttled(MemoryStream):
    """A Kinesis stream that refuses most calls until `is_over`."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = self._calls = 0
        self.is_over = False

    def list_shards(self, **arguments: Any) -> dict[str, Any]:
        self._refuse("LimitExceededException", "ListShards", 2)
        return super().list_shards(**arguments)

    def get_records(self, **arguments: Any) -> dict[str, Any]:
        self._refuse("ProvisionedThroughputExceededException", "GetRecords", 10)
        return super().get_records(**arguments)

    def _refuse(self, code: str, call: str, one_in: int) -> None:
        self._calls += 1
        if not self.is_over and self._calls % one_in:
            self.refused += 1
            raise ClientError({"Error": {"Code": code, "Message": "Rate exceeded"}}, call)


class OfStream:
    """A stream whose reads are throttled."""

    def __init__(self, folder: Path) -> None:
        self._stream = Throttled()
        self.delivery = Delivery(folder, stream=self._stream, pace=PACE)

    @property
    def happened(self) -> int:
        return self._stream.refused

    def append(self, records: list[bytes]) -> None:
        self._stream.put(*records)

    def end(self) -> None:
        self._stream.is_over = True


def _refuses(request: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "records": [
            {"recordId": each["recordId"], "result": "ProcessingFailed", "data": each["data"]}
            for each in request["records"]
        ]
    }


def _fails(_: Mapping[str, Any]) -> Exception:
    return RuntimeError("poisoned")


TROUBLES = ("failing", "poisoned", "throttled")


def neighbour(trouble: str, folder: Path) -> Neighbour:
    """A stream that this befalls, one of TROUBLES."""
    folder.mkdir()
    if trouble == "throttled":
        return Neighbour(OfStream(folder))
    return Neighbour(OfFunction(folder, {"failing": _fails, "poisoned": _refuses}[trouble]))
