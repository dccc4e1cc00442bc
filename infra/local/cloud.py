"""The local cloud as a whole: up, down, reset, status."""

import fcntl
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from infra.local import assembly, deployer, emulator, mappings, process_memory, processes, server
from infra.local.context import LocalContext
from infra.local.deployer import Progress
from infra.local.paths import LocalPaths, owner_only
from infra.local.settings import LocalSettings

_SECONDS_TO_START = 30.0


@dataclass(frozen=True)
class LocalCloud:
    """A local cloud that is up.

    Attributes:
        context: gives clients of all its services.
        outputs: what the deployer wrote: stacks with their outputs and resources.
    """

    context: LocalContext
    outputs: dict[str, Any]

    def environment(self) -> dict[str, str]:
        """Variables that point any AWS client at this cloud."""
        return {
            "AWS_ENDPOINT_URL": self.context.endpoint_url,
            "AWS_ENDPOINT_URL_ATHENA": self.context.server_url,
            "AWS_ENDPOINT_URL_FIREHOSE": self.context.server_url,
            "AWS_ENDPOINT_URL_QUICKSIGHT": self.context.server_url,
            "AWS_ACCESS_KEY_ID": self.context.keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.context.keys.secret_access_key,
            "AWS_DEFAULT_REGION": self.context.region,
            "PENSTOCK_LOCAL_TOKEN": self.context.keys.token,
        } | _trust(self.context)


def up(
    paths: LocalPaths,
    settings: LocalSettings,
    progress: Progress,
    *,
    folder: Path = assembly.PACKAGED,
    environ: Mapping[str, str] = os.environ,
) -> LocalCloud:
    """Start what is not running, deploy what is not deployed.

    Raises PortTakenError, ProcessFailedError, EmulatorVersionError, AssemblyError, DeploymentError, OSError.
    """
    paths.make()
    with owner_only(), (paths.run / "up.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second `up` waits for the first and then finds everything done
        _end_others(paths, settings)
        context = _context(paths, settings)
        if processes.alive(paths.run, emulator.NAME) is None:
            processes.stop(paths.run, server.NAME)
            _start_emulator(paths, settings, progress, environ)
        if processes.alive(paths.run, server.NAME) is None:
            _start_server(paths, settings, progress, environ)
        outputs = deployer.deploy(context, folder, progress)
        return LocalCloud(context, outputs)


def down(paths: LocalPaths, progress: Progress) -> bool:
    """End what `up` started, keeping its state for the next `up`; False when nothing was running.

    `is_state_whole` tells afterwards whether the state could be kept.
    """
    if not paths.run.is_dir():
        return False
    ended = processes.stop(paths.run, server.NAME)
    if processes.alive(paths.run, emulator.NAME) is not None:
        progress("stopping")
        ended = True
        processes.stop(paths.run, emulator.NAME)
    return ended


def is_state_whole(paths: LocalPaths) -> bool:
    """Whether MiniStack has ended in order, and thus written all of its state; without, `up` starts empty."""
    return _clean_marker(paths).exists()


def reset(paths: LocalPaths, settings: LocalSettings, progress: Progress, **options: Any) -> LocalCloud:
    """Forget everything and deploy anew. Takes what `up` takes."""
    paths.make()
    processes.stop(paths.run, server.NAME)
    if processes.alive(paths.run, emulator.NAME) is None:
        _clear(paths)
    else:
        context = _context(paths, settings)
        emulator.reset(context.endpoint_url, context.keys, context.ca_bundle)
        for file in paths.state.glob("*.sqlite*"):
            file.unlink()
    return up(paths, settings, progress, **options)


def status(paths: LocalPaths) -> dict[str, Any]:
    """Which processes are alive (name to what they recorded, or None), and where they answer."""
    return {name: processes.alive(paths.run, name) for name in (emulator.NAME, server.NAME)}


def attach(paths: LocalPaths) -> LocalCloud | None:
    """The local cloud that is up and deployed in this folder, or None."""
    if not paths.run.is_dir() or None in status(paths).values() or not paths.outputs.exists():
        return None
    recorded = json.loads(paths.cloud.read_text())
    context = _context(paths, LocalSettings(**recorded))
    return LocalCloud(context, json.loads(paths.outputs.read_text()))


def _context(paths: LocalPaths, settings: LocalSettings) -> LocalContext:
    emulator_port, server_port = settings.ports
    return LocalContext(
        paths,
        endpoint_url=emulator.url(emulator_port, enforce_iam=settings.enforce_iam),
        server_url=f"http://{processes.LOOPBACK}:{server_port}",
        region=settings.region,
        ca_bundle=emulator.certificate(paths) if settings.enforce_iam else None,
        enforce_iam=settings.enforce_iam,
    )


def _end_others(paths: LocalPaths, settings: LocalSettings) -> None:
    """End what runs in this folder with other settings, and refuse ports that belong to someone else."""
    wanted = asdict(settings)
    recorded = json.loads(paths.cloud.read_text()) if paths.cloud.exists() else None
    if recorded not in (None, wanted):
        down(paths, lambda _: None)
    for name, port in zip((emulator.NAME, server.NAME), settings.ports, strict=True):
        if processes.alive(paths.run, name) is None:
            processes.require_free(port, "the local cloud")
    paths.cloud.write_text(json.dumps(wanted), encoding="utf-8")


def _start_emulator(
    paths: LocalPaths, settings: LocalSettings, progress: Progress, environ: Mapping[str, str]
) -> None:
    progress("starting MiniStack")
    shutil.rmtree(paths.scratch, ignore_errors=True)  # it leaves extracted function code behind
    if not is_state_whole(paths):
        _clear(paths)
    _clean_marker(paths).unlink(missing_ok=True)
    paths.make()
    context = _context(paths, settings)
    port, log = settings.ports[0], paths.log(emulator.NAME)
    made = emulator.environment(
        paths,
        port,
        context.server_url,
        keys=context.keys,
        inherited=environ,
        enforce_iam=settings.enforce_iam,
        extra={
            "QUERIES_DEBOUNCE_SCALE": str(settings.debounce_scale),
            mappings.SCALE: str(settings.interval_scale),
        },
    )
    arguments = [str(paths.run), str(port), str(_clean_marker(paths))]
    pid = processes.start("infra.local.emulator", arguments, made, log)
    processes.wait_until(
        lambda: emulator.is_healthy(context.endpoint_url, context.ca_bundle),
        "MiniStack",
        pid,
        log,
        seconds=_SECONDS_TO_START,
    )


def _start_server(
    paths: LocalPaths, settings: LocalSettings, progress: Progress, environ: Mapping[str, str]
) -> None:
    progress("starting the local server")
    context, log = _context(paths, settings), paths.log(server.NAME)
    trust = _trust(context)
    made = {**environ, **process_memory.ENVIRONMENT, **settings.to_environ(), **trust}
    pid = processes.start("infra.local.server", [str(paths.root)], made, log)
    processes.wait_until(
        lambda: emulator.answers(f"{context.server_url}/_health", "GET"),
        "The local server",
        pid,
        log,
        seconds=_SECONDS_TO_START,
    )


def _trust(context: LocalContext) -> dict[str, str]:
    """Variables that make boto3 and urllib trust MiniStack's certificate, when it has one."""
    bundle = str(context.ca_bundle) if context.ca_bundle else ""
    return dict.fromkeys(("AWS_CA_BUNDLE", "SSL_CERT_FILE"), bundle) if bundle else {}


def _clean_marker(paths: LocalPaths) -> Path:
    """What MiniStack's process writes when it has ended in order."""
    return paths.state / "clean"


def _clear(paths: LocalPaths) -> None:
    """Names of buckets end in random letters, so state and objects are of use together only."""
    for folder in (paths.state, paths.objects, paths.scratch):
        shutil.rmtree(folder, ignore_errors=True)
    paths.make()
