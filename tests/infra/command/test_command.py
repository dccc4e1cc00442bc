"""`penstock` as people meet it: fast help, one sentence for each failure, exit codes that mean something."""

import errno
import io
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from infra.command.cli import MOUNTS, main
from infra.command.exits import Exit
from infra.command.failures import explain, report
from infra.command.target import Kind, NoTargetError, Target
from infra.local import cloud, processes
from infra.local.cloud import LocalCloud
from producers.sources.files import SourceError


@pytest.mark.parametrize("mount", MOUNTS, ids=lambda mount: mount.verb)
def test_every_verb_is_where_its_line_in_help_says(mount: object) -> None:
    command = mount.load()  # type: ignore[attr-defined]
    assert command.name == mount.verb  # type: ignore[attr-defined]
    assert command.help or command.short_help


def test_help_lists_every_verb_without_importing_a_stage() -> None:
    code = (
        "import sys; from infra.command.cli import main; code = main(['--help']); "
        "heavy = {'botocore', 'pyathena', 'duckdb', 'pyarrow', 'starlette', 'aws_cdk'} & set(sys.modules); "
        "print(sorted(heavy), file=sys.stderr); sys.exit(code)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stderr.strip() == "[]"
    for mount in MOUNTS:
        assert f" {mount.verb} " in ran.stdout


def test_a_command_line_that_is_not_understood_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nosuch"]) == Exit.USAGE
    assert "No such command 'nosuch'" in capsys.readouterr().err
    assert main(["demo", "--nosuch"]) == Exit.USAGE
    assert "No such option" in capsys.readouterr().err


def test_without_a_local_cloud_a_verb_says_how_to_start_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PENSTOCK_TARGET", raising=False)
    for verb in (["reconcile"], ["reports", "list"], ["failed", "list"], ["query", "SELECT 1"]):
        assert main(verb) == Exit.NO_TARGET
        assert "Run: penstock local up" in capsys.readouterr().err
    assert main(["local", "status", "--json"]) == Exit.NO_TARGET
    assert json.loads(capsys.readouterr().out)["up"] is False
    assert main(["local", "down"]) == Exit.OK


def test_a_missing_file_and_a_folder_are_named_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--from", "nowhere.log"]) == Exit.FAILED
    told = capsys.readouterr().err
    assert "nowhere.log" in told
    assert told.count("\n") == 1
    assert not (tmp_path / ".local").exists()


def test_a_file_of_no_known_format_is_refused_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "strange.bin").write_bytes(bytes(range(256)) * 40)
    assert main(["demo", "--from", "strange.bin"]) == Exit.FAILED
    told = capsys.readouterr().err
    assert "strange.bin" in told
    assert told.count("\n") == 1
    assert not (tmp_path / ".local").exists()


def test_a_taken_port_is_named_with_the_variable_that_moves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (port,) = processes.free_ports(1)
    monkeypatch.setenv("PENSTOCK_LOCAL_PORT", str(port))
    with socket.create_server((processes.LOOPBACK, port)):
        assert main(["local", "up"]) == Exit.FAILED
    told = capsys.readouterr().err
    assert str(port) in told
    assert "PENSTOCK_LOCAL_PORT" in told
    assert "Traceback" not in told


def test_no_space_on_the_disk_is_said_with_what_to_do() -> None:
    message, code = explain(OSError(errno.ENOSPC, "No space left on device", "/somewhere/file"))
    assert "no space left" in message
    assert "/somewhere/file" in message
    assert "penstock local reset" in message
    assert code == Exit.FAILED


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file", "a.log"), "a.log"),
        (PermissionError(errno.EACCES, "denied", "a.log"), "permissions"),
        (OSError(errno.EADDRINUSE, "in use"), "PENSTOCK_LOCAL_PORT"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "penstock local status"),
        (NoCredentialsError(), "AWS_PROFILE"),
        (EndpointConnectionError(endpoint_url="http://x"), "penstock local status"),
        (
            ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutRecords"),
            "PutRecords (AccessDenied)",
        ),
        (SourceError("The file a.bin is neither of these. Convert it."), "Convert it"),
    ],
)
def test_every_expected_failure_is_one_sentence_with_a_remedy(error: Exception, word: str) -> None:
    message, code = explain(error)
    assert word in message
    assert "\n" not in message
    assert code == Exit.FAILED


def test_a_defect_is_reported_as_one_and_its_place_only_when_asked_for() -> None:
    quiet, loud = io.StringIO(), io.StringIO()
    try:
        raise KeyError("missing")
    except KeyError as error:
        assert report(error, quiet, debug=False) == Exit.UNEXPECTED
        assert report(error, loud, debug=True) == Exit.UNEXPECTED
    assert "Traceback" not in quiet.getvalue()
    assert "PENSTOCK_DEBUG=1" in quiet.getvalue()
    assert "Traceback" in loud.getvalue()


def test_ctrl_c_ends_with_its_own_code() -> None:
    assert explain(KeyboardInterrupt())[1] == Exit.INTERRUPTED


def test_aws_is_never_a_guess(tmp_path: Path) -> None:
    with pytest.raises(NoTargetError, match="--target aws"):
        _ = Target.choose(None, environ={}, directory=tmp_path).kind
    assert Target.choose("aws", environ={}, directory=tmp_path).kind in get_args(Kind)


@pytest.mark.cloud
def test_the_target_points_every_aws_client_at_the_local_cloud(
    local_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = local_cloud.context.paths.root.parent
    assert cloud.attach(local_cloud.context.paths) is not None
    environ: dict[str, str] = {}
    target = Target.choose(None, environ=environ, directory=directory)
    assert target.lake_bucket.startswith("penstock")
    assert target.client("kinesis").describe_stream_summary(StreamName=target.stream_name)
    assert environ["AWS_ENDPOINT_URL"] == local_cloud.context.endpoint_url
