"""FirehoseService: the delivery streams of the template, their API, and the switches for faults."""

import os
import secrets
import signal
import string
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from infra.local.firehose.api import FirehoseApi
from infra.local.firehose.checkpoints import CheckpointStore
from infra.local.firehose.configuration import read_configuration
from infra.local.firehose.direct_log import DirectLog, record_number
from infra.local.firehose.faults import Faults
from infra.local.firehose.pace import Pace
from infra.local.firehose.worker import DeliveryWorker
from infra.local.parts.context import LocalContext
from infra.local.parts.service import ResourceHandler, Target
from infra.local.settings import LocalSettings

DELIVERY_STREAM = "AWS::KinesisFirehose::DeliveryStream"
DRAIN_SECONDS = 300.0
_LETTERS = string.ascii_letters + string.digits


class FirehoseService:
    """Runs a worker for each delivery stream that exists.

    `created_at` tells when a delivery stream was created (epoch seconds), if that is known: it outlives the
    checkpoints.
    """

    def __init__(
        self,
        context: LocalContext,
        settings: LocalSettings,
        created_at: Callable[[str], float | None] = lambda _: None,
    ) -> None:
        self._context = context
        self._created_before = created_at
        self._created: dict[str, float] = {}
        self._pace = Pace(
            settings.interval_scale, settings.quiet_seconds, most_partitions=settings.most_partitions
        )
        self._checkpoints = CheckpointStore(context.paths.database("firehose"))
        self._lock = threading.Lock()
        self._started = False
        self.faults = Faults()
        self.workers: dict[str, DeliveryWorker] = {}
        self._direct: dict[str, DirectLog] = {}
        self.properties: dict[str, dict[str, Any]] = {}
        self.targets: Mapping[str, Target] = {"Firehose_20150804": FirehoseApi(self).answer}
        self.resources: Mapping[str, ResourceHandler] = {DELIVERY_STREAM: self}
        self.routes: Sequence[BaseRoute] = [
            Route("/_firehose/flush", self._flush, methods=["POST"]),
            Route("/_firehose/counts", self._counts),
            Route("/_firehose/metrics", self._metrics),
            Route("/_faults", self._faults, methods=["GET", "POST", "DELETE"]),
        ]

    async def start(self) -> None:
        """Run the workers of the streams that were restored."""
        with self._lock:
            self._started = True
            for worker in self.workers.values():
                worker.start()

    async def stop(self) -> None:
        """Stop every worker; what was in flight is read again after a restart."""
        for worker in self.workers.values():
            await run_in_threadpool(worker.stop)
        self._checkpoints.close()
        for log in self._direct.values():
            log.close()

    def arn(self, name: str) -> str:
        """Arn of a delivery stream."""
        context = self._context
        return f"arn:aws:firehose:{context.region}:{context.account_id}:deliverystream/{name}"

    def created_at(self, name: str) -> float | None:
        """When a delivery stream was created (epoch seconds), if that is known."""
        return self._created.get(name) or self._created_before(name)

    def counts(self) -> dict[str, dict[str, float]]:
        """Per delivery stream, what has passed and what is in flight."""
        return {name: worker.counts.to_json() for name, worker in self.workers.items()}

    def objects_delivered(self) -> int:
        """Data objects that were written since the server started."""
        return sum(worker.counts.objects for worker in self.workers.values())

    def drain(self, seconds: float = DRAIN_SECONDS) -> bool:
        """Deliver at once everything that is in the streams; False when time was up before."""
        return not [name for name, worker in self.workers.items() if not worker.drain(seconds)]

    def takes_puts(self, name: str) -> bool:
        """Whether records are put on this delivery stream itself."""
        return name in self._direct

    def put(self, name: str, records: Sequence[bytes]) -> list[str]:
        """Keep records that were put on the delivery stream itself; their ids. They are kept on return.

        Raises KeyError when it takes none, or is gone.
        """
        number = self._direct[name].append(records, int(self._context.clock() * 1000))
        worker = self.workers.get(name)
        if worker is not None:  # between two of its configurations there is none; the next one reads on
            worker.wake()
        return [f"{record_number(number)}{sub:06d}" for sub in range(len(records))]

    def create(self, logical_id: str, properties: dict[str, Any]) -> tuple[str, dict[str, str]]:
        """A new delivery stream. Raises InvalidArgumentError; ClientError when its Glue table is missing."""
        name = properties.get("DeliveryStreamName") or f"{logical_id}-{secrets.token_hex(6)}"
        self._created[name] = self._context.clock()
        return name, self.update(name, properties)

    def update(self, physical_id: str, properties: dict[str, Any]) -> dict[str, str]:
        """Run the delivery stream with these properties, from the checkpoints that it has."""
        configuration = read_configuration(physical_id, properties)
        with self._lock:
            if self.properties.get(physical_id) != properties:
                if configuration.schema:
                    self._context.client("glue").get_table(
                        DatabaseName=configuration.schema.database, Name=configuration.schema.table
                    )
                self._replace(physical_id, properties)
        return {"Arn": self.arn(physical_id)}

    def delete(self, physical_id: str) -> None:
        """Stop the delivery stream and forget how far it was.

        What was put on it itself and is not delivered stays in its file: one of the same name delivers it.
        """
        with self._lock:
            self.properties.pop(physical_id, None)
            self._created.pop(physical_id, None)
            worker = self.workers.pop(physical_id, None)
            if worker is not None and self._started:
                worker.stop()
            self._checkpoints.forget(physical_id)
            log = self._direct.pop(physical_id, None)
            if log is not None:
                log.close()

    def _replace(self, name: str, properties: dict[str, Any]) -> None:
        old = self.workers.pop(name, None)
        if old is not None and self._started:
            old.stop()
        self.properties[name] = properties
        configuration = read_configuration(name, properties)
        if configuration.is_direct and name not in self._direct:
            self._direct[name] = DirectLog(self._context.paths.database(f"direct-{name}"))
        worker = self.workers[name] = DeliveryWorker(
            configuration,
            self.arn(name),
            self._context,
            self._checkpoints,
            pace=self._pace,
            faults=self.faults,
            new_id=lambda: str(uuid.uuid4()),
            random_string=lambda: "".join(secrets.choice(_LETTERS) for _ in range(11)),
            halt=lambda: os.kill(os.getpid(), signal.SIGKILL),
            created_at=self.created_at(name),
            direct=self._direct.get(name),
        )
        if self._started:
            worker.start()

    async def _flush(self, request: Request) -> Response:
        try:
            seconds = float(request.query_params.get("seconds", DRAIN_SECONDS))
        except ValueError:
            return JSONResponse({"message": "seconds is not a number"}, status_code=400)
        drained = await run_in_threadpool(self.drain, seconds)
        return JSONResponse({"drained": drained, "streams": self.counts()})

    async def _counts(self, request: Request) -> Response:  # noqa: ARG002 - starlette passes it
        return JSONResponse(self.counts())

    async def _metrics(self, request: Request) -> Response:  # noqa: ARG002 - starlette passes it
        return JSONResponse({name: worker.metrics() for name, worker in list(self.workers.items())})

    async def _faults(self, request: Request) -> Response:
        """GET lists the switches; POST sets `{name: {probability, times}}`; DELETE (`?seed=`) ends all."""
        if request.method == "DELETE":
            try:
                self.faults.reseed(int(request.query_params.get("seed", 0)))
            except ValueError:
                return JSONResponse({"message": "seed is not a whole number"}, status_code=400)
        elif request.method == "POST":
            try:
                for name, setting in (await request.json()).items():
                    self.faults.switch(name, float(setting["probability"]), setting.get("times"))
                    self._context.activity.add("fault", name, at=self._context.clock(), **setting)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                return JSONResponse({"message": str(error)}, status_code=400)
        return JSONResponse(self.faults.listed())
