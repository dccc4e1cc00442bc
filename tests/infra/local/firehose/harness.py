"""A delivery worker with everything around it in memory: the stream, the function, the table, the bucket."""

import base64
import io
import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from infra.local.firehose.checkpoints import CheckpointStore
from infra.local.firehose.configuration import read_configuration
from infra.local.firehose.direct_log import DirectLog
from infra.local.firehose.faults import Faults
from infra.local.firehose.pace import Pace
from infra.local.firehose.worker import DeliveryWorker
from infra.local.parts.activity import Activity

Answerer = Callable[[dict[str, Any]], Any]
ARRIVAL_MS = 1_764_068_400_000  # 2025-11-25 11:00:00 UTC
PATIENT = Pace(interval_scale=1000.0, retry_seconds=0.001)
"""No buffer is ever due by age, so that a test decides when to deliver."""
COLUMNS = {"name": "string", "number": "bigint", "at": "timestamp", "inner": "struct<a:int,b:string>"}
STREAM_ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/events"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:transform"

_EXTENDED: dict[str, Any] = {
    "BucketARN": "arn:aws:s3:::lake",
    "RoleARN": "arn:aws:iam::000000000000:role/delivery",
    "Prefix": "events/hour=!{partitionKeyFromLambda:hour}/",
    "ErrorOutputPrefix": "failed/!{firehose:error-output-type}/dt=!{timestamp:yyyy-MM-dd}/",
    "BufferingHints": {"IntervalInSeconds": "60", "SizeInMBs": "64"},
    "FileExtension": ".parquet",
    "DynamicPartitioningConfiguration": {"Enabled": "true"},
    "ProcessingConfiguration": {
        "Enabled": "true",
        "Processors": [
            {
                "Type": "Lambda",
                "Parameters": [
                    {"ParameterName": "LambdaArn", "ParameterValue": FUNCTION_ARN},
                    {"ParameterName": "NumberOfRetries", "ParameterValue": "3"},
                ],
            }
        ],
    },
    "DataFormatConversionConfiguration": {
        "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
        "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {"Compression": "SNAPPY"}}},
        "SchemaConfiguration": {"DatabaseName": "db", "TableName": "events", "RoleARN": "r"},
    },
}


def properties(**extended: Any) -> dict[str, Any]:
    """Properties of a delivery stream as CloudFormation hands them over, with these members replaced."""
    s3 = {name: value for name, value in {**_EXTENDED, **extended}.items() if value is not None}
    return {
        "DeliveryStreamType": "KinesisStreamAsSource",
        "KinesisStreamSourceConfiguration": {
            "KinesisStreamARN": STREAM_ARN,
            "RoleARN": "arn:aws:iam::000000000000:role/source",
        },
        "ExtendedS3DestinationConfiguration": s3,
    }


def direct_properties(**extended: Any) -> dict[str, Any]:
    """The same of a delivery stream that records are put on."""
    return {
        "DeliveryStreamType": "DirectPut",
        "DeliveryStreamEncryptionConfigurationInput": {"KeyType": "AWS_OWNED_CMK"},
        "ExtendedS3DestinationConfiguration": properties(**extended)["ExtendedS3DestinationConfiguration"],
    }


class MemoryStream:
    """A Kinesis stream whose shards are lists, with AWS's answers for closed shards."""

    class exceptions:  # noqa: N801 - boto3's spelling
        class ExpiredIteratorException(Exception):
            pass

    def __init__(self, shards: Sequence[Mapping[str, Any]] = ({"ShardId": "shardId-0"},)) -> None:
        self.shards = [dict(shard) for shard in shards]
        self.records: dict[str, list[dict[str, Any]]] = {str(s["ShardId"]): [] for s in self.shards}
        self.closed: set[str] = set()
        self.expire_next = 0
        self.reads: list[str] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def put(self, *data: bytes, shard: str = "shardId-0", arrival_ms: int = ARRIVAL_MS) -> None:
        """Records at the end of a shard."""
        with self._lock:
            for each in data:
                self.records[shard].append(
                    {
                        "SequenceNumber": f"{next(self._numbers):056d}",
                        "PartitionKey": "key",
                        "Data": each,
                        "ApproximateArrivalTimestamp": datetime.fromtimestamp(arrival_ms / 1000, UTC),
                    }
                )

    def list_shards(self, **arguments: Any) -> dict[str, Any]:
        """Two shards a page."""
        start = int(arguments.get("NextToken", 0))
        more = {"NextToken": str(start + 2)} if len(self.shards) > start + 2 else {}
        return {"Shards": self.shards[start : start + 2], **more}

    def get_shard_iterator(self, **arguments: Any) -> dict[str, str]:
        """Shard and position in one text."""
        shard, kind = arguments["ShardId"], arguments["ShardIteratorType"]
        after = arguments.get("StartingSequenceNumber", "")
        at = 0
        if kind == "AT_TIMESTAMP":
            at = sum(
                record["ApproximateArrivalTimestamp"] < arguments["Timestamp"]
                for record in self.records[shard]
            )
        if kind == "AFTER_SEQUENCE_NUMBER":
            at = sum(record["SequenceNumber"] <= after for record in self.records[shard])
        return {"ShardIterator": f"{shard}/{at}"}

    def get_records(self, **arguments: Any) -> dict[str, Any]:
        """Records from the iterator's position on."""
        if self.expire_next:
            self.expire_next -= 1
            raise self.exceptions.ExpiredIteratorException
        shard, _, at = arguments["ShardIterator"].partition("/")
        with self._lock:
            found = self.records[shard][int(at) : int(at) + arguments["Limit"]]
            self.reads += [shard] * len(found)
            end = int(at) + len(found)
            is_over = shard in self.closed and end == len(self.records[shard])
        return {"Records": found, "MillisBehindLatest": 0} | (
            {} if is_over else {"NextShardIterator": f"{shard}/{end}"}
        )


class MemoryFunction:
    """The transformation: `answer` gets the request; it returns an answer, bytes, or an exception."""

    def __init__(self, answer: Answerer) -> None:
        self.answer = answer
        self.requests: list[dict[str, Any]] = []

    def invoke(self, *, Payload: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's spelling
        """As boto3's."""
        request = json.loads(Payload)
        self.requests.append(request)
        made = self.answer(request)
        if isinstance(made, Exception):
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(str(made).encode())}
        return {"Payload": io.BytesIO(made if isinstance(made, bytes) else json.dumps(made).encode())}


class MemoryBucket:
    """A bucket. While `refuses` says so of a key, writing it fails."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.order: list[str] = []
        self.tries: list[str] = []
        self.options: dict[str, dict[str, Any]] = {}
        self.refuses: Callable[[str], bool] = lambda _: False
        self.written_at = 0.0

    def put_object(self, *, Key: str, Body: bytes, **options: Any) -> None:  # noqa: N803
        """As boto3's."""
        self.tries.append(Key)
        if self.refuses(Key):
            raise ClientError({"Error": {"Code": "SlowDown", "Message": "no"}}, "PutObject")
        self.objects[Key] = Body
        self.order.append(Key)
        self.written_at = time.monotonic()
        self.options[Key] = options


class MemoryCatalog:
    """A Glue table that may change, or be missing."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self.columns: dict[str, str] | None = dict(columns)
        self.version = 0

    def get_table(self, **_: Any) -> dict[str, Any]:
        """As boto3's."""
        if self.columns is None:
            raise ClientError({"Error": {"Code": "EntityNotFoundException", "Message": "no"}}, "GetTable")
        listed = [{"Name": name, "Type": kind} for name, kind in self.columns.items()]
        return {"Table": {"VersionId": str(self.version), "StorageDescriptor": {"Columns": listed}}}


@dataclass
class MemoryContext:
    """What a worker asks of `LocalContext`."""

    clients: dict[str, Any]
    clock: Callable[[], float] = time.time
    activity: Activity = field(default_factory=Activity)
    region: str = "us-east-1"
    account_id: str = "000000000000"

    def client(self, service: str, **_: Any) -> Any:
        """The stand-in."""
        return self.clients[service]


class Delivery:
    """One delivery stream and its surroundings."""

    def __init__(
        self,
        folder: Path,
        answer: Answerer | None = None,
        *,
        stream: MemoryStream | None = None,
        columns: Mapping[str, str] = COLUMNS,
        pace: Pace = PATIENT,
        given: Mapping[str, Any] | None = None,
        created_at: float | None = ARRIVAL_MS / 1000,
        direct: DirectLog | None = None,
    ) -> None:
        self.folder, self.pace, self.created_at = folder, pace, created_at
        self.stream = stream or MemoryStream()
        self.function = MemoryFunction(answer or accept)
        self.bucket, self.catalog, self.faults = MemoryBucket(), MemoryCatalog(columns), Faults()
        self.halted = threading.Event()
        self.direct = direct
        self.properties = given or (properties() if direct is None else direct_properties())
        self.worker = self._make()

    def _make(self) -> DeliveryWorker:
        ids = itertools.count(1)
        context: Any = MemoryContext(
            {
                "kinesis": self.stream,
                "lambda": self.function,
                "s3": self.bucket,
                "glue": self.catalog,
            }
        )
        return DeliveryWorker(
            read_configuration("events", self.properties),
            "arn:aws:firehose:us-east-1:000000000000:deliverystream/events",
            context,
            CheckpointStore(self.folder / "checkpoints.sqlite"),
            pace=self.pace,
            faults=self.faults,
            new_id=lambda: f"id-{next(ids)}-{id(ids)}",
            random_string=lambda: f"random{next(ids):05d}",
            halt=self._halt,
            created_at=self.created_at,
            direct=self.direct,
        )

    def _halt(self) -> None:
        self.halted.set()
        raise SystemExit("halted")

    def run(self, *data: bytes) -> "Delivery":
        """Put records, deliver everything, stop."""
        self.stream.put(*data)
        self.worker.start()
        assert self.worker.drain(20), self.worker.counts
        self.worker.stop()
        return self

    def restarted(self) -> "Delivery":
        """The same surroundings with a new worker, as after a sudden end of the old one."""
        self.worker = self._make()
        return self

    def data_keys(self) -> list[str]:
        """Keys of data objects."""
        return [key for key in self.bucket.objects if not key.startswith("failed/")]

    def rows(self) -> list[dict[str, Any]]:
        """Every row of every data object, by name."""
        found = [
            row
            for key in self.data_keys()
            for row in pq.read_table(io.BytesIO(self.bucket.objects[key])).to_pylist()
        ]
        return sorted(found, key=lambda row: str(row["name"]))

    def names(self) -> list[str]:
        """The `name` of every row."""
        return [str(row["name"]) for row in self.rows()]

    def errors(self, kind: str = "") -> list[dict[str, Any]]:
        """Every line of every error object (of one type), with its data decoded in `raw`."""
        found = []
        for key, body in self.bucket.objects.items():
            if key.startswith(f"failed/{kind}"):
                for line in body.decode().splitlines():
                    document = json.loads(line)
                    found.append({**document, "raw": base64.b64decode(document["rawData"])})
        return found


def event(name: str, hour: str | None = "10", **more: Any) -> bytes:
    """An event of the harness."""
    return json.dumps({"name": name, "hour": hour, **more}).encode()


def accepted(record: Mapping[str, Any], hour: Any = None) -> dict[str, Any]:
    """The answer `Ok` with the record's own data as its row."""
    document = json.loads(base64.b64decode(record["data"]))
    hour = document.pop("hour", None) if hour is None else hour
    row = base64.b64encode(json.dumps(document).encode() + b"\n").decode()
    return {
        "recordId": record["recordId"],
        "result": "Ok",
        "data": row,
        "metadata": {"partitionKeys": {"hour": hour}},
    }


def accept(request: dict[str, Any]) -> dict[str, Any]:
    """A function that accepts everything."""
    return {"records": [accepted(record) for record in request["records"]]}


def but(name: str, change: Callable[[dict[str, Any]], list[dict[str, Any]]]) -> Answerer:
    """A function that accepts everything, except that the answer of the event of that name is changed."""

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        records = []
        for record in request["records"]:
            ours = accepted(record)
            named = json.loads(base64.b64decode(record["data"]))["name"]
            records += change(ours) if named == name else [ours]
        return {"records": records}

    return answer
