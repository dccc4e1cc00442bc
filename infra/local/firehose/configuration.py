"""A delivery stream's configuration, read from the template's properties.

What AWS refuses is refused with its error; what AWS allows and this worker does not do is refused by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.firehose.prefixes import Prefix, PrefixError, parse_error_prefix, parse_prefix, zone

MEBIBYTE = 1 << 20
MOST_PARTITIONS = 500
DIRECT_PUT, KINESIS = "DirectPut", "KinesisStreamAsSource"


class InvalidArgumentError(ValueError):
    """AWS refuses this configuration."""


class NotSupportedHereError(InvalidArgumentError):
    """AWS takes this configuration; the local worker does not."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not supported by the local Firehose worker.")


@dataclass(frozen=True)
class Hints:
    """When a buffer is delivered: bytes, or seconds as the template says them."""

    size_bytes: int
    interval_seconds: float


@dataclass(frozen=True)
class Transform:
    """The transformation function."""

    arn: str
    hints: Hints
    retries: int


@dataclass(frozen=True)
class Schema:
    """The Glue table whose columns are the Parquet's."""

    database: str
    table: str
    catalog_id: str
    region: str
    version: str
    compression: str


@dataclass(frozen=True)
class Backup:
    """Where untransformed records go too."""

    bucket: str
    prefix: Prefix
    hints: Hints


@dataclass(frozen=True)
class Configuration:
    """One delivery stream to S3, from Kinesis or from what is put on it itself.

    `role_arn` may write, invoke and read the schema; `source_role_arn` may read the stream. Without a Kinesis
    stream it and `stream_arn` are empty.
    """

    name: str
    stream_arn: str
    source_role_arn: str
    role_arn: str
    bucket: str
    prefix: Prefix
    error_prefix: Prefix
    hints: Hints
    extension: str
    time_zone: str
    transform: Transform | None
    schema: Schema | None
    backup: Backup | None

    @property
    def stream_name(self) -> str:
        """Name of the Kinesis stream."""
        return self.stream_arn.rpartition("/")[2]

    @property
    def is_direct(self) -> bool:
        """Whether records are put on the delivery stream itself."""
        return not self.stream_arn


def read_configuration(name: str, properties: Mapping[str, Any]) -> Configuration:
    """Read the properties of `AWS::KinesisFirehose::DeliveryStream`; scalars may be strings.

    Raises InvalidArgumentError.
    """
    source = _source(properties)
    s3 = properties.get("ExtendedS3DestinationConfiguration")
    if s3 is None:
        raise NotSupportedHereError("A destination other than ExtendedS3DestinationConfiguration")
    schema = _schema(s3.get("DataFormatConversionConfiguration"))
    partitioned = _is_on(s3.get("DynamicPartitioningConfiguration"), default=False)
    try:
        prefix = parse_prefix(s3.get("Prefix", ""))
        error_prefix = parse_error_prefix(s3.get("ErrorOutputPrefix", ""))
        zone(s3.get("CustomTimeZone", ""))
    except (PrefixError, KeyError) as error:
        raise InvalidArgumentError(str(error)) from error
    if partitioned and not s3.get("ErrorOutputPrefix"):
        raise InvalidArgumentError("ErrorOutputPrefix is required when dynamic partitioning is enabled.")
    if partitioned != bool(prefix.partition_keys):
        raise InvalidArgumentError(
            "Prefix must contain partition keys when dynamic partitioning is enabled, and only then."
        )
    _check_compression(s3, converts=schema is not None)
    return Configuration(
        name=name,
        stream_arn=source.get("KinesisStreamARN", ""),
        source_role_arn=source.get("RoleARN", ""),
        role_arn=s3["RoleARN"],
        bucket=_bucket(s3),
        prefix=prefix,
        error_prefix=error_prefix,
        hints=_hints(s3, converts=schema is not None, partitioned=partitioned),
        extension=s3.get("FileExtension") or (".parquet" if schema else ""),
        time_zone=s3.get("CustomTimeZone", ""),
        transform=_transform(s3.get("ProcessingConfiguration")),
        schema=schema,
        backup=_backup(s3),
    )


def _source(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """The Kinesis stream; empty when there is none."""
    kind = properties.get("DeliveryStreamType", DIRECT_PUT)
    source: Mapping[str, Any] | None = properties.get("KinesisStreamSourceConfiguration")
    encryption = properties.get("DeliveryStreamEncryptionConfigurationInput")
    if kind not in (DIRECT_PUT, KINESIS):
        raise NotSupportedHereError(f"DeliveryStreamType {kind}")
    if (kind == KINESIS) != (source is not None):
        raise InvalidArgumentError(
            "KinesisStreamSourceConfiguration must be given for DeliveryStreamType KinesisStreamAsSource, "
            "and only then."
        )
    if source is not None and encryption is not None:
        raise InvalidArgumentError(
            "DeliveryStreamEncryptionConfigurationInput cannot be given with a Kinesis stream as the source: "
            "it has an encryption of its own."
        )
    return source or {}


def _transform(block: Mapping[str, Any] | None) -> Transform | None:
    if not _is_on(block, default=False) or block is None:
        return None
    processors = block.get("Processors", [])
    for processor in processors:
        if processor["Type"] != "Lambda":
            raise NotSupportedHereError(f"Processor {processor['Type']}")
    if len(processors) != 1:
        raise InvalidArgumentError("ProcessingConfiguration must have exactly one Lambda processor.")
    given = {each["ParameterName"]: each["ParameterValue"] for each in processors[0].get("Parameters", [])}
    size, interval = float(given.get("BufferSizeInMBs", 1)), float(given.get("BufferIntervalInSeconds", 60))
    if not 0.2 <= size <= 3 or not 0 <= interval <= 900:
        raise InvalidArgumentError("BufferSizeInMBs must be 0.2 to 3 and BufferIntervalInSeconds 0 to 900.")
    hints = Hints(int(size * MEBIBYTE), interval)
    return Transform(given["LambdaArn"], hints, int(given.get("NumberOfRetries", 3)))


def _schema(block: Mapping[str, Any] | None) -> Schema | None:
    if block is None or not _is_on(block, default=True):
        return None
    _only(block["InputFormatConfiguration"]["Deserializer"], "OpenXJsonSerDe", "Deserializer")
    parquet = _only(block["OutputFormatConfiguration"]["Serializer"], "ParquetSerDe", "Serializer")
    options = block["InputFormatConfiguration"]["Deserializer"]["OpenXJsonSerDe"]
    if options and (set(options) - {"CaseInsensitive"} or not _true(options.get("CaseInsensitive", "true"))):
        raise NotSupportedHereError(f"OpenXJsonSerDe with {', '.join(sorted(options))}")
    where = block["SchemaConfiguration"]
    return Schema(
        where["DatabaseName"],
        where["TableName"],
        where.get("CatalogId", ""),
        where.get("Region", ""),
        where.get("VersionId", "LATEST"),
        parquet.get("Compression", "SNAPPY"),
    )


def _only(given: Mapping[str, Any], wanted: str, what: str) -> Mapping[str, Any]:
    if set(given) != {wanted}:
        raise NotSupportedHereError(f"{what} {', '.join(sorted(given)) or '(none)'} (use {wanted})")
    return given[wanted] or {}


def _hints(s3: Mapping[str, Any], *, converts: bool, partitioned: bool) -> Hints:
    given = s3.get("BufferingHints", {})
    size = int(given.get("SizeInMBs", 128 if converts else 5))
    interval = int(given.get("IntervalInSeconds", 300))
    smallest = 64 if converts or partitioned else 1
    if not smallest <= size <= 128 or not (60 if partitioned else 0) <= interval <= 900:
        raise InvalidArgumentError(
            f"BufferingHints: SizeInMBs must be {smallest} to 128 and IntervalInSeconds up to 900 "
            f"(from 60 with dynamic partitioning); they are {size} and {interval}."
        )
    return Hints(size * MEBIBYTE, interval)


def _check_compression(s3: Mapping[str, Any], *, converts: bool) -> None:
    compression = s3.get("CompressionFormat", "UNCOMPRESSED")
    if compression == "UNCOMPRESSED":
        return
    if converts:
        raise InvalidArgumentError(
            "CompressionFormat must be UNCOMPRESSED when data format conversion is on."
        )
    raise NotSupportedHereError(f"CompressionFormat {compression}")


def _backup(s3: Mapping[str, Any]) -> Backup | None:
    if s3.get("S3BackupMode", "Disabled") == "Disabled":
        return None
    backup = s3["S3BackupConfiguration"]
    hints = _hints(backup, converts=False, partitioned=False)
    return Backup(_bucket(backup), parse_prefix(backup.get("Prefix", "")), hints)


def _bucket(s3: Mapping[str, Any]) -> str:
    return str(s3["BucketARN"]).rpartition(":")[2]


def _is_on(block: Mapping[str, Any] | None, *, default: bool) -> bool:
    return block is not None and _true(block.get("Enabled", default))


def _true(value: Any) -> bool:
    """CloudFormation hands every scalar on as text."""
    return str(value).lower() == "true"
