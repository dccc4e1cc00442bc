"""Names of the deployed resources, as the stacks' outputs say them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from infra.deployment import Deployment
from producers.contracts import Stream

Named = TypeVar("Named")


class OutputsError(RuntimeError):
    """The deployment does not say what a command needs to know."""


@dataclass(frozen=True)
class StreamOutputs:
    """Names of one stream's own resources; each but `name` is an output of its stack.

    `stream_name` is the Kinesis stream's, empty where events go straight to the delivery stream.
    """

    name: str
    delivery_stream: str
    transform_function: str
    pseudonym_secret: str
    stream_name: str = ""
    pseudonym_key_ids: str = ""
    transform_key: str = ""

    @property
    def is_direct(self) -> bool:
        """Whether there is no Kinesis stream."""
        return not self.stream_name

    @property
    def entrance(self) -> str:
        """What producers put on: the Kinesis stream, or the delivery stream."""
        return self.stream_name or self.delivery_stream


@dataclass(frozen=True)
class Outputs:
    """What every command may need a name for. Each field but `streams` is the stack output of the same name
    in CamelCase.
    """

    region: str
    account_id: str
    streams: Mapping[str, StreamOutputs]
    lake_bucket: str
    database: str
    queue_url: str
    dead_letter_queue_url: str
    reporting_bucket: str
    results_bucket: str
    ledger_table: str
    query_function: str
    work_group: str
    analyst_work_group: str
    alarm_topic_arn: str = ""
    operations_dashboard: str = ""
    collector_url: str = ""
    collector_function: str = ""
    keys_function: str = ""
    write_keys_table: str = ""
    collector_queue_url: str = ""
    collector_dead_letter_queue_url: str = ""
    hooks_function: str = ""
    hooks_queue_url: str = ""
    hooks_dead_letter_queue_url: str = ""
    deliveries_table: str = ""
    hook_secret_prefix: str = ""
    api_url: str = ""
    api_function: str = ""
    reader_function: str = ""
    jobs_function: str = ""
    importer_function: str = ""
    jobs_table: str = ""
    jobs_queue_url: str = ""
    jobs_dead_letter_queue_url: str = ""
    jobs_machine_arn: str = ""
    updates_url: str = ""
    updates_realtime_url: str = ""
    updates_api_id: str = ""
    updates_function: str = ""
    updates_dead_letter_queue_url: str = ""
    user_pool_id: str = ""
    user_pool_client_id: str = ""
    extract_function: str = ""
    site_function: str = ""
    site_data_bucket: str = ""
    site_bucket: str = ""
    site_url: str = ""
    site_sign_in: str = ""
    site_distribution_id: str = ""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Outputs":
        """From what the local deployer wrote. Raises OutputsError."""
        values = {"region": str(document["region"]), "account_id": str(document["account_id"])}
        stacks = [_named(stack["outputs"].items()) for stack in document["stacks"].values()]
        return cls._of(values, stacks, "Run: penstock local up")

    @classmethod
    def from_stacks(cls, cloudformation: Any, deployment: Deployment, streams: Iterable[Stream]) -> "Outputs":
        """From a deployment on AWS, by a boto3 CloudFormation client. Raises OutputsError, ClientError.

        Each stack is asked for by its name: nobody needs a right to list the account's stacks for it.
        """
        values: dict[str, str] = {}
        stacks: list[Mapping[str, str]] = []
        for name in deployment.naming_stacks(streams):
            stack = _deployed(cloudformation, name)
            if stack is not None:
                region, account = stack["StackId"].split(":")[3:5]
                outputs = ((each["OutputKey"], each["OutputValue"]) for each in stack.get("Outputs", []))
                values |= {"region": region, "account_id": account}
                stacks.append(_named(outputs))
        return cls._of(values, stacks, f"Run: penstock deploy --deployment {deployment.name}")

    @property
    def stream_name(self) -> str:
        """The only stream's Kinesis stream. Raises OutputsError when there are several streams."""
        return self.stream().stream_name

    @property
    def delivery_stream(self) -> str:
        """The only stream's delivery stream. Raises OutputsError when there are several streams."""
        return self.stream().delivery_stream

    @property
    def transform_function(self) -> str:
        """The only stream's transformation. Raises OutputsError when there are several streams."""
        return self.stream().transform_function

    @property
    def deliveries(self) -> Mapping[str, bool]:
        """Every delivery stream, and whether it reads a Kinesis stream."""
        return {each.delivery_stream: not each.is_direct for each in self.streams.values()}

    @property
    def pseudonym_secrets(self) -> Mapping[str, tuple[str, str]]:
        """Stream to its secret's name and the ids of the keys in use, joined by commas."""
        return {name: (each.pseudonym_secret, each.pseudonym_key_ids) for name, each in self.streams.items()}

    @property
    def functions(self) -> Sequence[str]:
        """Every transformation, and the query function."""
        return [*(each.transform_function for each in self.streams.values()), self.query_function]

    def stream(self, name: str | None = None) -> StreamOutputs:
        """The resources of that stream; without a name of the only one. Raises OutputsError."""
        if name is None and len(self.streams) == 1:
            return next(iter(self.streams.values()))
        known = ", ".join(self.streams)
        if name is None:
            raise OutputsError(f"There are several streams: {known}. Name one with --stream.")
        if name not in self.streams:
            raise OutputsError(f"No stream {name!r} is deployed. There are: {known}.")
        return self.streams[name]

    @classmethod
    def _of(cls, values: Mapping[str, str], stacks: Sequence[Mapping[str, str]], remedy: str) -> "Outputs":
        shared = {
            **values,
            **{key: each for stack in stacks if not _is_streams(stack) for key, each in stack.items()},
        }
        own = [stack for stack in stacks if _is_streams(stack)]
        if not own:
            raise OutputsError(f"No stream is deployed. {remedy}")
        try:
            prefix = shared["work_group"].removesuffix("-reports")
            streams = [_only(StreamOutputs, {**each, "name": _stream_name(each, prefix)}) for each in own]
            ordered = {each.name: each for each in sorted(streams, key=lambda each: each.name)}
            return _only(cls, {**shared, "streams": ordered})
        except KeyError as error:
            raise OutputsError(f"The deployed stacks do not name {error.args[0]}. {remedy}") from error
        except TypeError as error:
            missing = sorted(set(re.findall(r"'(\w+)'", str(error))))
            raise OutputsError(f"The deployed stacks do not name {', '.join(missing)}. {remedy}") from error


def _is_streams(stack: Mapping[str, str]) -> bool:
    return "delivery_stream" in stack


def _stream_name(stack: Mapping[str, str], prefix: str) -> str:
    """Delivery streams are named after their streams (`Deployment.stream`)."""
    return stack["delivery_stream"].removeprefix(f"{prefix}-")


def _only(kind: type[Named], values: Mapping[str, Any]) -> Named:
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in values.items() if name in known})


def _named(outputs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower(): value for key, value in outputs}


def _deployed(cloudformation: Any, stack: str) -> Mapping[str, Any] | None:
    try:
        (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return None  # CloudFormation's word for a stack that is not there
    return found  # type: ignore[no-any-return]
