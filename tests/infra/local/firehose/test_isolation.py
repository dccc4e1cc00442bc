"""Several delivery streams beside one another: what befalls one does not delay another."""

import threading
from pathlib import Path
from typing import Any

from benchmarks.streams import measure
from infra.local.firehose.direct_log import DirectLog
from tests.infra.local.firehose.harness import ARRIVAL_MS, Delivery, MemoryStream, accept, event


def test_a_stream_whose_function_hangs_holds_up_no_other(tmp_path: Path) -> None:
    released, asked = threading.Event(), threading.Event()

    def hangs(request: dict[str, Any]) -> Any:
        asked.set()
        assert released.wait(60)
        return accept(request)

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    stuck, other = Delivery(tmp_path / "a", hangs), Delivery(tmp_path / "b")
    stuck.stream.put(event("waits"))
    stuck.worker.start()
    stuck.worker._drains_asked += 1
    assert asked.wait(20)
    other.run(*[event(f"{n:03d}") for n in range(500)])
    assert len(other.names()) == 500
    assert not stuck.data_keys()
    released.set()
    assert stuck.worker.drain(20)
    stuck.worker.stop()
    assert stuck.names() == ["waits"]


def test_a_stream_that_is_poisoned_loses_nothing_of_another(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    poisoned = Delivery(tmp_path / "a", lambda _: RuntimeError("poisoned"))
    log = DirectLog(tmp_path / "log.sqlite")
    direct = Delivery(tmp_path / "b", direct=log)
    poisoned.worker.start()
    direct.worker.start()
    for n in range(50):
        poisoned.stream.put(event(f"poison-{n}"))
        log.append([event(f"{n:02d}-{m}") for m in range(10)], ARRIVAL_MS)
    assert direct.worker.drain(30)
    assert poisoned.worker.drain(30)
    direct.worker.stop()
    poisoned.worker.stop()
    assert len(set(direct.names())) == 500
    assert not direct.errors()
    assert len(poisoned.errors()) == 50


def test_a_stream_that_cannot_be_read_holds_up_no_other(tmp_path: Path) -> None:
    class Refusing(MemoryStream):
        def list_shards(self, **_: Any) -> dict[str, Any]:
            raise OSError("throttled")

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    throttled = Delivery(tmp_path / "a", stream=Refusing())
    throttled.worker.start()
    assert Delivery(tmp_path / "b").run(event("through")).names() == ["through"]
    throttled.worker.stop()


def test_the_benchmark_loses_nothing_beside_any_trouble() -> None:
    figures = measure(events=5_000, rounds=3, repeats=1, slices=1)
    assert figures["throughput"] > 0
    assert set(figures["freshness"]) == set(figures["unbuffered"]) == {"failing", "poisoned", "throttled"}
    assert figures["lost"] == {"failing": 0, "poisoned": 0, "throttled": 0, "measured": 0}
