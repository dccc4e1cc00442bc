"""The small parts of the local cloud, each alone."""

import io
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.local import process_memory, processes
from infra.local.access.keys import Keys
from infra.local.deploy import packages
from infra.local.ministack import emulator, expire, fast_json, service_roles, worker_runtime
from infra.local.ministack.expire import EmulatorVersionError, expire_iterators, expire_records
from infra.local.ministack.fast_json import FastJson
from infra.local.paths import LocalPaths
from infra.local.settings import LocalSettings, LocalSettingsError
from tests.shop import SHOP


def test_only_expired_records_are_deleted() -> None:
    records = [{"ApproximateArrivalTimestamp": at} for at in (0.0, 10.0, 3600.0, 3700.0)]
    stream: dict[str, Any] = {"RetentionPeriodHours": 1, "shards": {"s": {"records": list(records)}}}
    expire_records(stream, now=3611.0)
    assert stream["shards"]["s"]["records"] == records[2:]
    expire_records(stream, now=3611.0)
    assert stream["shards"]["s"]["records"] == records[2:]


def test_only_expired_iterators_are_deleted() -> None:
    iterators: dict[Any, dict[str, Any]] = {"a": {"created_at": 0.0}, "b": {"created_at": 200.0}}
    expire_iterators(iterators, now=301.0)
    assert list(iterators) == ["b"]


def test_another_version_of_the_emulator_is_refused_with_the_remedy() -> None:
    with pytest.raises(EmulatorVersionError, match=r"pip install ministack==1\.5\.33"):
        expire.install("1.5.34")


def test_the_emulator_is_told_to_stay_on_loopback_and_inherits_nothing_that_breaks_it(tmp_path: Path) -> None:
    inherited = {
        "PATH": "/bin",
        "AWS_CA_BUNDLE": "x",
        "SSL_CERT_FILE": "x",
        "REQUESTS_CA_BUNDLE": "x",
        "AWS_ENDPOINT_URL": "x",
        "HTTPS_PROXY": "x",
        "AWS_SECRET_ACCESS_KEY": "real",
    }
    keys = Keys("AKIAOURS", "made here")
    made = emulator.environment(LocalPaths(tmp_path), 1, "http://s", keys=keys, inherited=inherited)
    assert made["BIND_HOST"] == made["MINISTACK_HOST"] == "127.0.0.1"
    assert made["IOT_MTLS_ENABLED"] == made["SFTP_ENABLED"] == "0"
    assert made["AWS_ENDPOINT_URL_ATHENA"] == "http://s"
    assert made["PATH"] == "/bin"
    assert made["AWS_SECRET_ACCESS_KEY"] == "made here"
    assert not set(inherited) - {"PATH", "AWS_SECRET_ACCESS_KEY"} & set(made)
    assert "AUTH" not in made


def test_the_functions_zip_holds_their_packages_and_is_equal_for_equal_sources() -> None:
    made = packages.sources(SHOP.folders)
    names = zipfile.ZipFile(io.BytesIO(made)).namelist()
    assert {"transforms/handler.py", "queries/handler.py", "producers/contracts/__init__.py"} <= set(names)
    assert any(name.startswith("queries/sql/") for name in names)
    of_infra = {name for name in names if name.startswith("infra")} - {"infra/__init__.py"}
    assert of_infra
    assert all(name.startswith(("infra/importing/", "infra/site/")) for name in of_infra)
    assert not [name for name in names if "__pycache__" in name or "/cli.py" in name]
    assert packages.sources(SHOP.folders) == made


def test_settings_come_from_variables_and_go_back_to_them() -> None:
    settings = LocalSettings(port=5, interval_scale=0.5, enforce_iam=True)
    assert LocalSettings.from_environ(settings.to_environ()) == settings
    assert LocalSettings.from_environ({}) == LocalSettings()
    assert LocalSettings(port=5).ports == (5, 6)


@pytest.mark.parametrize(("name", "value"), [("PORT", "x"), ("ENFORCE_IAM", "perhaps"), ("TICK_SECONDS", "")])
def test_a_setting_that_cannot_be_is_named(name: str, value: str) -> None:
    with pytest.raises(LocalSettingsError, match=f"PENSTOCK_LOCAL_{name}"):
        LocalSettings.from_environ({f"PENSTOCK_LOCAL_{name}": value})


@pytest.mark.parametrize(
    "value", [{"a": [1, 2.5, None, True, "ü\u2028", {"b": "😀"}]}, "x", 5, [], {"a": 10**30}]
)
def test_quick_json_means_what_json_means(value: Any) -> None:
    fast = FastJson()
    assert json.loads(fast.dumps(value)) == json.loads(json.dumps(value))
    assert fast.loads(json.dumps(value)) == value
    assert fast.dumps(value, indent=1) == json.dumps(value, indent=1)


def test_quick_json_fails_where_json_fails_and_takes_what_json_takes() -> None:
    fast = FastJson()
    with pytest.raises(json.JSONDecodeError):
        fast.loads("{")
    with pytest.raises(TypeError):
        fast.dumps(object())
    assert fast.loads("[NaN]")[0] != fast.loads("[NaN]")[0]
    assert fast.loads('"\\ud83d"') == "\ud83d"
    assert fast.JSONDecodeError is json.JSONDecodeError


_FREEING = """
import re
from pathlib import Path
from infra.local import process_memory

def resident():
    return int(re.search(r"VmRSS:\\s+([0-9]+)", Path("/proc/self/status").read_text())[1]) // 1024

held = [bytes([1]) * 100_000 for _ in range(2_000)]
last = bytes([1]) * 100_000
del held
before = resident()
process_memory.give_back()
print(before - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other C libraries keep freed memory in their own ways")
def test_freed_memory_goes_back_to_the_system_also_from_the_middle_of_the_heap() -> None:
    # With the settings of the local cloud, which keep more than the C library's own.
    environ = os.environ | process_memory.ENVIRONMENT
    freed = subprocess.run(
        [sys.executable, "-c", _FREEING], env=environ, check=True, capture_output=True, text=True
    )
    assert int(freed.stdout) > 100, "MB given back of 200"


def test_the_emulators_worker_script_is_the_one_that_is_changed() -> None:
    from ministack.core import lambda_runtime

    changed = worker_runtime.worker_script(lambda_runtime._PYTHON_WORKER_SCRIPT)
    compile(changed, "worker", "exec")
    with pytest.raises(ValueError, match="exactly once"):
        worker_runtime.worker_script("something else")


def test_a_handler_that_replaced_the_marshaller_gets_and_answers_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Bytes:
        def unmarshal_request(self, request: bytes, _: str) -> bytes:
            return request

        def marshal_response(self, response: bytes) -> tuple[bytes, str]:
            return response, "application/json"

    line = '{"event": {"a": [1]}, "ctx": {"x": 1}}'
    assert worker_runtime.read_invocation(line) == {"event": {"a": [1]}, "ctx": {"x": 1}}
    assert json.loads(worker_runtime.write_result({"b": 2})) == {"status": "ok", "result": {"b": 2}}
    monkeypatch.setattr(worker_runtime.LambdaRuntimeClient, "marshaller", Bytes())
    assert worker_runtime.read_invocation(line)["event"] == b'{"a": [1]}'
    answered = worker_runtime.write_result(b'{"b":\n2}')
    assert answered.count("\n") == 1
    assert json.loads(answered) == {"status": "ok", "result": {"b": 2}}


TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "firehose.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:firehose:us-east-1:1:deliverystream/web"}},
        }
    ],
}


@pytest.mark.parametrize(
    ("service", "arn", "allowed"),
    [
        ("firehose.amazonaws.com", "arn:aws:firehose:us-east-1:1:deliverystream/web", True),
        ("firehose.amazonaws.com", "arn:aws:firehose:us-east-1:1:deliverystream/other", False),
        ("lambda.amazonaws.com", "arn:aws:firehose:us-east-1:1:deliverystream/web", False),
    ],
)
def test_a_trust_policy_is_validated_for_the_service_that_is_stood_for(
    service: str, arn: str, allowed: bool
) -> None:
    from ministack.core.iam_evaluator import EvalContext, evaluate_trust_policy

    context = EvalContext(
        principal_arn="arn:aws:iam::1:root",
        principal_type="Root",
        principal_account="1",
        action="sts:AssumeRole",
        resource_arn="arn:aws:iam::1:role/delivery",
        region="us-east-1",
        service_context={"sts:externalid": service_roles.external_id(service, arn)},
    )
    judge = service_roles.judging(evaluate_trust_policy)
    assert judge(json.dumps(TRUST), "arn:aws:iam::1:root", context) is allowed


def test_a_held_record_proves_that_its_process_lives(tmp_path: Path) -> None:
    assert processes.alive(tmp_path, "one") is None
    held = processes.hold(tmp_path, "one", {"port": 1})
    assert processes.alive(tmp_path, "one") == {"pid": os.getpid(), "port": 1}
    held.close()
    assert processes.alive(tmp_path, "one") is None


def test_quick_json_is_put_where_it_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    from ministack.core import lambda_runtime, responses
    from ministack.services import kinesis, lambda_svc

    for module in (lambda_runtime, responses, kinesis, lambda_svc):
        monkeypatch.setattr(module, "json", module.json)  # undone after the test
    monkeypatch.setattr(kinesis, "base64", kinesis.base64)
    monkeypatch.setattr(lambda_svc, "handle_request", lambda_svc.handle_request)
    fast_json.install()
    assert isinstance(kinesis.json, FastJson)


def test_a_deleted_record_is_written_again_by_its_process(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from infra.local import processes\n"
        "held = processes.hold(Path(sys.argv[1]), 'one', {'port': 1}); time.sleep(60)"
    )
    run = tmp_path / "run"
    run.mkdir()
    with subprocess.Popen([sys.executable, "-c", script, str(run)]) as process:
        try:
            _until(lambda: processes.alive(run, "one") is not None)
            shutil.rmtree(run)
            _until(lambda: processes.alive(run, "one") is not None)
            assert processes.alive(run, "one") == {"pid": process.pid, "port": 1}
            assert processes.stop(run, "one")
        finally:
            process.kill()


def test_a_process_holds_its_record_before_it_has_run_a_line(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import time; time.sleep(1.0)\n"
        "import sys; from pathlib import Path; from infra.local import processes\n"
        "held = processes.hold(Path(sys.argv[1]), 'one', {}); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    record = (tmp_path, "one")
    pid = processes.start("slow", [str(tmp_path)], environment, tmp_path / "log", record=record)
    try:
        with pytest.raises(BlockingIOError):
            processes.start("slow", [str(tmp_path)], environment, tmp_path / "log", record=record)
        assert processes.alive(tmp_path, "one") == {"pid": pid}
    finally:
        assert processes.stop(tmp_path, "one")
    assert processes.alive(tmp_path, "one") is None


def _until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)
