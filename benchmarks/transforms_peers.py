"""The same job written the other ways: each as the documentation of its library shows it.

Each peer is a handler from the runtime's dict to a dict. All of them validate, bound the time, pseudonymise,
class the user agent, write the arrival time, name the partition and give the transformation's results.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import fastjsonschema
import msgspec
import orjson
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes.kinesis_firehose_event import (
    KinesisFirehoseDataTransformationRecord,
    KinesisFirehoseDataTransformationRecordMetadata,
    KinesisFirehoseDataTransformationResponse,
    KinesisFirehoseEvent,
    KinesisFirehoseRecord,
)
from aws_lambda_powertools.utilities.serialization import base64_from_str

from benchmarks.shop import TABLES, WEB
from producers.contracts.fields import CAMPAIGN_PARAMETERS
from transforms.contracts import payload_column

Handler = Callable[[dict[str, Any]], dict[str, Any]]

_PERSONAL = {"client_address": "client_key", "user_id": "user_key"}
_PAST, _FUTURE, _LATE = timedelta(days=30), timedelta(hours=1), timedelta(hours=6)
_CLASSES = (
    ("bot", re.compile(r"bot|crawl|spider", re.IGNORECASE)),
    ("mobile", re.compile(r"mobi|iphone|android", re.IGNORECASE)),
    ("desktop", re.compile(r"windows|macintosh|x11", re.IGNORECASE)),
)
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_EVENT_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DELIVERED = {each.name: payload_column(each) for each in TABLES["web_events"].delivered}

logger = Logger(service="peer")
metrics = Metrics(namespace="Peer", service="peer")


class DropError(Exception):
    """The event is a heartbeat."""


# --- the AWS blueprint's style: json, strptime, strftime, hmac.new, a regex per record


def plain_row(event: dict[str, Any], arrival_ms: int, key: bytes) -> tuple[dict[str, Any], str]:
    """Row and event hour of a valid event, as one writes it without a thought for speed."""
    moment = event["event_time"]
    if not isinstance(moment, datetime):
        moment = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    arrival = datetime.fromtimestamp(arrival_ms / 1000, UTC)
    if not -_FUTURE <= arrival - moment <= _PAST:
        raise ValueError("event_time")
    if event["event_type"] not in _DELIVERED:
        raise DropError
    payload = dict(event["payload"])
    row = {name: value for name, value in event.items() if name != "payload"}
    row["event_time"] = moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:23] + "Z"
    row["arrival_time"] = arrival.strftime("%Y-%m-%dT%H:%M:%S.%f")[:23] + "Z"
    row["is_late"] = arrival - moment > _LATE
    row["key_id"] = "k1"
    for field, column in _PERSONAL.items():
        value = payload.pop(field, None)
        if value is not None:
            row[column] = hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:32]
    agent = payload.pop("user_agent", None)
    if agent is not None:
        row["user_agent_class"] = next((name for name, rule in _CLASSES if rule.search(agent)), "other")
    for field in ("url", "referrer"):
        if payload.get(field) is not None:
            payload[field] = _without_query(payload[field])
    if "url" in payload:
        payload["path"] = re.sub(r"^https?://[^/]*", "", payload["url"]).split("?")[0] or "/"
    row[_DELIVERED[event["event_type"]]] = payload
    return row, moment.strftime("%Y-%m-%d-%H")


def _without_query(value: str) -> str:
    parts = urlsplit(value)
    kept = [pair for pair in parts.query.split("&") if pair.split("=")[0] in CAMPAIGN_PARAMETERS]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "&".join(kept), ""))


_ENVELOPE: dict[str, type] = {
    "event_type": str,
    "event_id": str,
    "schema_version": int,
    "event_time": str,
    "source": str,
    "producer_id": str,
    "epoch": int,
    "seq": int,
    "payload": dict,
}
_REQUIRED: dict[str, dict[str, type]] = {
    "page_viewed": {"url": str, "client_address": str, "status": int},
    "product_viewed": {"product_id": str, "client_address": str},
    "cart_updated": {
        "cart_id": str,
        "product_id": str,
        "client_address": str,
        "action": str,
        "quantity": int,
    },
    "order_placed": {
        "order_id": str,
        "client_address": str,
        "items": list,
        "total_minor": int,
        "currency": str,
    },
    "heartbeat": {"host": str, "uptime_seconds": int},
    "producer_audited": {"producer": str, "last_seq": int},
}


def check(event: Any) -> None:
    """Raise for an event that lacks a field or has one of a wrong type."""
    for name, kind in _ENVELOPE.items():
        if type(event[name]) is not kind:
            raise ValueError(name)
    payload = event["payload"]
    for name, kind in _REQUIRED[event["event_type"]].items():
        if type(payload[name]) is not kind:
            raise ValueError(name)
    if not _EVENT_ID.fullmatch(event["event_id"]) or event["schema_version"] != 1:
        raise ValueError("event_id")
    if not (_IDENTIFIER.fullmatch(event["source"]) and _IDENTIFIER.fullmatch(event["producer_id"])):
        raise ValueError("source")


def blueprint(key: bytes) -> Handler:
    """json, base64 and hmac of the standard library."""

    def handler(event: dict[str, Any]) -> dict[str, Any]:
        output = []
        for record in event["records"]:
            try:
                payload = json.loads(base64.b64decode(record["data"]))
                check(payload)
                row, hour = plain_row(payload, record["approximateArrivalTimestamp"], key)
                data = base64.b64encode((json.dumps(row) + "\n").encode()).decode()
                metadata = {"partitionKeys": {"event_hour": hour}}
                output.append(
                    {"recordId": record["recordId"], "result": "Ok", "data": data, "metadata": metadata}
                )
            except DropError:
                output.append({"recordId": record["recordId"], "result": "Dropped"})
            except Exception:
                output.append(
                    {"recordId": record["recordId"], "result": "ProcessingFailed", "data": record["data"]}
                )
        return {"records": output}

    return handler


# --- Powertools: data classes and a compiled JSON Schema


def counted(output: Any) -> None:
    results = [each["result"] for each in output["records"]]
    for name, result in (("Accepted", "Ok"), ("Dropped", "Dropped"), ("Failed", "ProcessingFailed")):
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=results.count(result))
    logger.info("batch transformed", records=len(results))
    metrics.flush_metrics()


def data_classes(key: bytes) -> Handler:
    """KinesisFirehoseEvent, fastjsonschema, the response's data classes."""
    validators = {
        each.name: fastjsonschema.compile(msgspec.json.schema(each.event_class)) for each in WEB.all_types
    }

    def one(record: KinesisFirehoseRecord) -> KinesisFirehoseDataTransformationRecord:
        try:
            event = record.data_as_json
            validators[event["event_type"]](event)
            row, hour = plain_row(event, record.approximate_arrival_timestamp, key)
            metadata = KinesisFirehoseDataTransformationRecordMetadata(partition_keys={"event_hour": hour})
            return record.build_data_transformation_response(
                result="Ok", data=base64_from_str(json.dumps(row) + "\n"), metadata=metadata
            )
        except DropError:
            return record.build_data_transformation_response(result="Dropped")
        except Exception:
            return record.build_data_transformation_response(result="ProcessingFailed", data=record.data)

    def handler(event: dict[str, Any]) -> dict[str, Any]:
        response = KinesisFirehoseDataTransformationResponse()
        for record in KinesisFirehoseEvent(event).records:
            response.add_record(one(record))
        output = response.asdict()
        counted(output)
        return output

    return handler


# --- orjson, by someone who tunes: everything that can be remembered is


def tuned(key: bytes) -> Handler:  # noqa: PLR0915
    """orjson; fromisoformat; hours, seconds, agents and pseudonyms remembered."""

    @lru_cache(65_536)
    def pseudonym(value: str) -> str:
        return hmac.digest(key, value.encode(), "sha256").hex()[:32]

    @lru_cache(8_192)
    def agent_class(value: str) -> str:
        return next((name for name, rule in _CLASSES if rule.search(value)), "other")

    @lru_cache(16_384)
    def address(value: str) -> tuple[str, str]:
        kept = _without_query(value)
        return kept, re.sub(r"^https?://[^/]*", "", kept).split("?")[0] or "/"

    @lru_cache(4_096)
    def second(value: int) -> str:
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%dT%H:%M:%S")

    @lru_cache(65_536)
    def is_name(value: str) -> bool:
        return _IDENTIFIER.fullmatch(value) is not None

    late_ms, past_ms, future_ms = 6 * 3_600_000, 30 * 86_400_000, 3_600_000
    loads, dumps, decode, encode = orjson.loads, orjson.dumps, base64.b64decode, base64.b64encode

    def row_of(event: Any, arrival_ms: int) -> tuple[bytes, str]:
        for name, kind in _ENVELOPE.items():
            if type(event[name]) is not kind:
                raise ValueError(name)
        payload = event["payload"]
        for name, kind in _REQUIRED[event["event_type"]].items():
            if type(payload[name]) is not kind:
                raise ValueError(name)
        if not _EVENT_ID.fullmatch(event["event_id"]) or event["schema_version"] != 1:
            raise ValueError("event_id")
        if not (is_name(event["source"]) and is_name(event["producer_id"])):
            raise ValueError("source")
        text = event["event_time"]
        lag_ms = arrival_ms - int(datetime.fromisoformat(text).timestamp() * 1000)
        if not -future_ms <= lag_ms <= past_ms:
            raise ValueError("event_time")
        column = _DELIVERED.get(event["event_type"])
        if column is None:
            raise DropError
        event["arrival_time"] = f"{second(arrival_ms // 1000)}.{arrival_ms % 1000:03d}Z"
        event["is_late"] = lag_ms > late_ms
        event["key_id"] = "k1"
        event["client_key"] = pseudonym(payload.pop("client_address"))
        user, agent = payload.pop("user_id", None), payload.pop("user_agent", None)
        if user is not None:
            event["user_key"] = pseudonym(user)
        if agent is not None:
            event["user_agent_class"] = agent_class(agent)
        if "url" in payload:
            payload["url"], payload["path"] = address(payload["url"])
        if payload.get("referrer") is not None:
            payload["referrer"] = address(payload["referrer"])[0]
        event[column] = event.pop("payload")
        return dumps(event, option=orjson.OPT_APPEND_NEWLINE), f"{text[:10]}-{text[11:13]}"

    def handler(event: dict[str, Any]) -> dict[str, Any]:
        output = []
        for record in event["records"]:
            try:
                row, hour = row_of(loads(decode(record["data"])), record["approximateArrivalTimestamp"])
                output.append(
                    {
                        "recordId": record["recordId"],
                        "result": "Ok",
                        "data": encode(row).decode("ascii"),
                        "metadata": {"partitionKeys": {"event_hour": hour}},
                    }
                )
            except DropError:
                output.append({"recordId": record["recordId"], "result": "Dropped"})
            except Exception:
                output.append(
                    {"recordId": record["recordId"], "result": "ProcessingFailed", "data": record["data"]}
                )
        answer = {"records": output}
        counted(answer)
        return answer

    return handler


def echo(_: bytes) -> Handler:
    """Nothing at all: each record's data as it came."""

    def handler(event: dict[str, Any]) -> dict[str, Any]:
        return {
            "records": [
                {
                    "recordId": record["recordId"],
                    "result": "Ok",
                    "data": record["data"],
                    "metadata": {"partitionKeys": {"event_hour": "2026-11-24-10"}},
                }
                for record in event["records"]
            ]
        }

    return handler
