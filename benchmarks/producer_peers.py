"""One way of putting the corpus on a stream, timed in a process of its own.

`python -m benchmarks.producer_peers VARIANT --url URL --count N` prints {"cpu", "seconds", "events"} as
JSON: CPU is user and system time of the whole process between the warm-up and the last answer.
"""

import argparse
import asyncio
import gc
import hashlib
import json
import os
import resource
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import msgspec

from benchmarks.corpus import events
from benchmarks.shop import STREAMS
from producers.sinks.kinesis import KinesisSink, kinesis_client
from producers.sinks.port import SinkRecord

CORPUS = 20_000
WARM_UP = 1_000
Events = list[dict[str, Any]]


def _client(url: str) -> Any:
    return kinesis_client(
        endpoint_url=url, region_name="us-east-1", aws_access_key_id="stub", aws_secret_access_key="stub"
    )


def _cycled(corpus: Events, count: int) -> Iterator[dict[str, Any]]:
    while count > 0:
        yield from islice(corpus, count)
        count -= len(corpus)


def boto3_500(url: str) -> Callable[[Events, int], None]:
    """What most people write: put_records, 500 at a time, with the fastest JSON encoder."""
    client, encode = _client(url), msgspec.json.encode

    def run(corpus: Events, count: int) -> None:
        source = _cycled(corpus, count)
        while batch := [{"Data": encode(e), "PartitionKey": e["user_id"]} for e in islice(source, 500)]:
            client.put_records(StreamName="stub", Records=batch)

    return run


def aws_kinesis_agg(url: str) -> Callable[[Events, int], None]:
    """boto3 with Amazon's aggregator: 51,200 bytes a record, about 1 MB a request."""
    import orjson
    from aws_kinesis_agg.aggregator import RecordAggregator

    client = _client(url)

    def run(corpus: Events, count: int) -> None:
        aggregator, waiting = RecordAggregator(51_200), []

        def keep(record: Any) -> None:
            key, _, data = record.get_contents()
            waiting.append({"Data": data, "PartitionKey": key})
            if len(waiting) >= 20:
                client.put_records(StreamName="stub", Records=waiting)
                waiting.clear()

        for event in _cycled(corpus, count):
            full = aggregator.add_user_record(event["user_id"], orjson.dumps(event))
            if full:
                keep(full)
        if last := aggregator.clear_and_get():
            keep(last)
        if waiting:
            client.put_records(StreamName="stub", Records=waiting)

    return run


class _Unlimited:
    """Stands in for async-kinesis's throttlers: its own cost more than everything else it does."""

    def __call__(self, size: int = 1) -> "_Unlimited":
        return self

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *_: object) -> None:
        return None


def _async_kinesis(url: str, processor: str, with_keys: bool) -> Callable[[Events, int], None]:
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "stub",
        "AWS_SECRET_ACCESS_KEY": "stub",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    from kinesis import Producer, processors

    async def put_all(corpus: Events, count: int) -> None:
        # 499: with its default of 500 it sends 501, which the service refuses.
        async with Producer(
            "stub",
            endpoint_url=url,
            region_name="us-east-1",
            batch_size=499,
            processor=getattr(processors, processor)(),
        ) as producer:
            producer.put_rate_throttle = producer.put_bandwidth_throttle = _Unlimited()
            for event in _cycled(corpus, count):
                await producer.put(event, event["user_id"] if with_keys else None)
            await producer.flush()

    return lambda corpus, count: asyncio.run(put_all(corpus, count))


def async_kinesis_json(url: str) -> Callable[[Events, int], None]:
    """async-kinesis, one event per record, its throttler removed."""
    return _async_kinesis(url, "JsonProcessor", with_keys=True)


def async_kinesis_kpl(url: str) -> Callable[[Events, int], None]:
    """async-kinesis, aggregated; it cannot keep keys then. Throttler removed."""
    return _async_kinesis(url, "KPLJsonProcessor", with_keys=False)


def floor(url: str) -> Callable[[Events, int], None]:
    """Every step that a byte must go through, at C speed, and no Python per event: what nobody can beat."""
    sink, encode = KinesisSink("stub", _client(url)), msgspec.json.encode

    def run(corpus: Events, count: int) -> None:
        for _ in range(-(-count // 3_400)):
            records = []
            for place in range(20):
                data = encode(corpus[place * 170 : (place + 1) * 170])
                records.append(SinkRecord(data + hashlib.md5(data).digest(), "key"))
            sink.put_records(records)

    return run


def _ours(url: str, **settings: Any) -> Callable[[Events, int], None]:
    from producers.producer import Producer

    producer = Producer("stub", client=_client(url), **settings)

    def run(corpus: Events, count: int) -> None:
        source = _cycled(corpus, count)
        while batch := list(islice(source, 500)):
            producer.put_many_json(batch, "user_id")
        assert producer.flush(60) == 0

    return run


def penstock_singly(url: str) -> Callable[[Events, int], None]:
    """Ours, aggregated, one call per event."""
    from producers.producer import Producer

    producer = Producer("stub", client=_client(url))

    def run(corpus: Events, count: int) -> None:
        put = producer.put_json
        for event in _cycled(corpus, count):
            put(event, event["user_id"])
        assert producer.flush(60) == 0

    return run


def penstock_kpl(url: str) -> Callable[[Events, int], None]:
    """Ours, default settings: aggregated, one bucket per shard, every answer checked."""
    return _ours(url)


def penstock_lines(url: str) -> Callable[[Events, int], None]:
    """Ours, newline framing."""
    return _ours(url, framing="lines")


def penstock_strict(url: str) -> Callable[[Events, int], None]:
    """Ours, aggregated, strict order per key."""
    return _ours(url, ordering="key")


def penstock_spool(url: str) -> Callable[[Events, int], None]:
    """Ours, aggregated, every event on the disk before `put` returns."""
    from tempfile import mkdtemp

    from producers.spool.folder import Spool

    return _ours(url, spool=Spool(mkdtemp(), "always"))


def penstock_contract(url: str) -> Callable[[Events, int], None]:
    """Ours, aggregated, with what peers leave to the caller: envelope, id, sequence, contract check."""
    from producers.contracts import Payload
    from producers.producer import Producer

    kind = next(iter(STREAMS.values())).event_types[0]
    producer = Producer("stub", client=_client(url))
    payloads: list[Payload] = []

    def run(corpus: Events, count: int) -> None:
        if not payloads:
            payloads.extend(_payload(kind.payload, event) for event in corpus)
        for number in range(count):
            producer.put(payloads[number % len(payloads)])
        assert producer.flush(60) == 0

    return run


def _payload(kind: Any, event: dict[str, Any]) -> Any:
    fields = {"url": event["url"], "client_address": event["user_id"], "status": 200}
    return msgspec.convert(fields | {"bytes_sent": event["bytes_sent"]}, kind)


VARIANTS = {
    function.__name__: function
    for function in (
        floor,
        boto3_500,
        async_kinesis_json,
        async_kinesis_kpl,
        aws_kinesis_agg,
        penstock_kpl,
        penstock_singly,
        penstock_lines,
        penstock_strict,
        penstock_spool,
        penstock_contract,
    )
}


def main() -> None:
    """Runs one variant and prints its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("variant", choices=VARIANTS)
    parser.add_argument("--url", required=True)
    parser.add_argument("--count", type=int, required=True)
    arguments = parser.parse_args()
    corpus = events(CORPUS)
    run = VARIANTS[arguments.variant](arguments.url)
    run(corpus, WARM_UP)
    gc.collect()
    cpu, began = _cpu(), time.monotonic()
    run(corpus, arguments.count)
    figures = {"cpu": _cpu() - cpu, "seconds": time.monotonic() - began, "events": arguments.count}
    print(json.dumps(figures), flush=True)
    os._exit(0)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
