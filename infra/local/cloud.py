"""The local cloud as a whole: up, down, reset, status."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from infra.local import process_memory, processes, recovery, server, state
from infra.local.deploy import deployer, synthesized
from infra.local.deploy.deployer import Progress
from infra.local.edge import opening
from infra.local.edge import port as edge_port
from infra.local.files import read_json, write_json
from infra.local.ministack import collector_port, emulator, jobs_port, mappings
from infra.local.parts.context import LocalContext
from infra.local.paths import LocalPaths, owner_only
from infra.local.settings import LocalSettings
from infra.local.status import collector
from infra.project.project import Project
from queries import settings as query_settings

_SECONDS_TO_START = 60.0
_SECONDS_TO_RECORD = 2.0


@dataclass(frozen=True)
class LocalCloud:
    """A local cloud that is up.

    Attributes:
        context: gives clients of all its services.
        outputs: what the deployer wrote: stacks with their outputs and resources.
        notes: sentences about its start that the user must know.
    """

    context: LocalContext
    outputs: dict[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def settings(self) -> LocalSettings:
        """What it was started with."""
        return LocalSettings(**(read_json(self.context.paths.cloud) or {}))

    @property
    def collector_url(self) -> str:
        """Where the collector answers; empty for a project without one."""
        found = any("CollectorUrl" in stack["outputs"] for stack in self.outputs["stacks"].values())
        return collector.address(self.context) if found else ""

    @property
    def jobs_url(self) -> str:
        """Where the jobs API answers; empty for a project without one."""
        found = any("JobsTable" in stack["outputs"] for stack in self.outputs["stacks"].values())
        return emulator.url(self.settings.jobs, enforce_iam=self.context.enforce_iam) if found else ""

    @property
    def site_url(self) -> str:
        """Where the report site is looked at; empty for a project without one."""
        found = any("SiteUrl" in stack["outputs"] for stack in self.outputs["stacks"].values())
        return site_url(self.settings) if found else ""

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
    project: Project,
    folder: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> LocalCloud:
    """Start what is not running, deploy what is not deployed.

    `folder` has the assembly; without it, it is the project's. May be interrupted anywhere and called again.
    Raises PortTakenError, ProcessFailedError,
    EmulatorVersionError, AssemblyError, DeploymentError, OSError, and what synthesizing raises.
    """
    with _alone(paths):
        _finish_reset(paths)
        made = folder or synthesized.assembly_of(project, paths, progress)
        return _up(paths, settings, progress, project, made, environ)


def down(paths: LocalPaths, progress: Progress) -> bool:
    """End what `up` started, keeping its state for the next `up`; False when nothing was running."""
    if not paths.root.is_dir():
        return False
    with _alone(paths):
        return _down(paths, progress)


def reset(paths: LocalPaths, settings: LocalSettings, progress: Progress, **options: Any) -> LocalCloud:
    """Forget everything and deploy anew. Takes what `up` takes, and may be interrupted as it may."""
    with _alone(paths):
        paths.resetting.touch()
        _finish_reset(paths)
    return up(paths, settings, progress, **options)


def _up(
    paths: LocalPaths,
    settings: LocalSettings,
    progress: Progress,
    project: Project,
    folder: Path,
    environ: Mapping[str, str],
) -> LocalCloud:
    _end_others(paths, settings, project)
    context, notes = _context(paths, settings), list[str]()
    starts = processes.alive(paths.run, emulator.NAME) is None
    was_killed = starts and emulator.state(paths) is not None and not state.is_whole(paths)
    if starts:
        processes.stop(paths.run, server.NAME)
        notes += state.prepare(paths)
        _start_emulator(paths, settings, progress, project, environ)
    if processes.alive(paths.run, server.NAME) is None:
        _start_server(paths, settings, progress, project, environ)
    outputs = _deployed(context, folder, project, progress)
    if project.default.site:
        progress("opening the site")
        groups = opening.rule_groups(project.dashboards.values())
        opening.open_site(context, outputs, site_url(settings), groups)
    if starts:
        ended = recovery.recover(context, outputs, sweep=was_killed)
        notes += [f"{ended} runs of reports whose workers had ended were given free."] if ended else []
    state.keep(paths)
    return LocalCloud(context, outputs, tuple(notes))


def _deployed(context: LocalContext, folder: Path, project: Project, progress: Progress) -> dict[str, Any]:
    """What the deployer says. When a process has died under it, that is the error and not what it met."""
    try:
        return deployer.deploy(context, folder, project, progress)
    except Exception as error:
        for name, shown in ((emulator.NAME, "MiniStack"), (server.NAME, "The local server")):
            if processes.alive(context.paths.run, name) is None:
                what = "ended during the deployment; `penstock local up` starts it again"
                raise processes.ProcessFailedError(shown, what, context.paths.log(name)) from error
        raise


def _down(paths: LocalPaths, progress: Progress) -> bool:
    ended = processes.stop(paths.run, server.NAME)
    if processes.alive(paths.run, emulator.NAME) is not None:
        progress("stopping")
        ended = True
        processes.stop(paths.run, emulator.NAME)
    return ended


@contextmanager
def _alone(paths: LocalPaths) -> Iterator[None]:
    """One command at a time; another waits for it and then finds everything done."""
    paths.make()
    with owner_only(), (paths.root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        paths.make()
        yield


def _finish_reset(paths: LocalPaths) -> None:
    """Do what a `reset` does before it deploys; when one was cut off, the rest of it.

    Folders are renamed, which is quick however much is in them, and deleted when everything else is done.
    """
    if paths.resetting.exists():
        for name in (server.NAME, emulator.NAME):
            processes.stop(paths.run, name, seconds=0.0)
        paths.leaving.mkdir(exist_ok=True)
        for folder in (paths.state, paths.objects, paths.stream, paths.scratch):
            _move(folder, paths.leaving)
        paths.outputs.unlink(missing_ok=True)
        paths.make()
        paths.resetting.unlink()
    shutil.rmtree(paths.leaving, ignore_errors=True)


def _move(folder: Path, into: Path) -> None:
    if folder.exists():
        number = 0
        while (target := into / f"{folder.name}-{number}").exists():
            number += 1
        folder.rename(target)


def site_url(settings: LocalSettings) -> str:
    """Where the report site of a local cloud is looked at."""
    return f"{emulator.url(settings.site, enforce_iam=settings.enforce_iam)}/"


def status(paths: LocalPaths) -> dict[str, Any]:
    """Which processes are alive (name to what they recorded, or None), and where they answer."""
    return {name: processes.alive(paths.run, name) for name in (emulator.NAME, server.NAME)}


def attach(paths: LocalPaths) -> LocalCloud | None:
    """The local cloud that is up and deployed in this folder, or None."""
    if not paths.run.is_dir() or None in status(paths).values() or not paths.outputs.exists():
        return None
    recorded, outputs = read_json(paths.cloud), read_json(paths.outputs)
    if recorded is None or outputs is None:
        return None
    return LocalCloud(_context(paths, LocalSettings(**recorded)), outputs)


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


def _end_others(paths: LocalPaths, settings: LocalSettings, project: Project) -> None:
    """End what runs in this folder with other settings, and refuse ports that belong to someone else."""
    wanted = asdict(settings)
    if read_json(paths.cloud) not in (None, wanted):
        _down(paths, lambda _: None)
    ports = [(emulator.NAME, settings.ports[0]), (server.NAME, settings.ports[1])]
    ports += [(emulator.NAME, settings.collector)] if project.default.collector else []
    ports += [(emulator.NAME, settings.jobs)] if project.default.jobs else []
    ports += [(emulator.NAME, settings.site)] if project.default.site else []
    for name, port in ports:
        deadline = time.monotonic() + _SECONDS_TO_RECORD
        while processes.alive(paths.run, name) is None and processes.is_taken(port):
            if time.monotonic() > deadline:  # one of ours would have written its lost record again
                raise processes.PortTakenError(port, "the local cloud")
            time.sleep(0.1)
    write_json(paths.cloud, wanted)


def _start_emulator(
    paths: LocalPaths,
    settings: LocalSettings,
    progress: Progress,
    project: Project,
    environ: Mapping[str, str],
) -> None:
    progress("starting MiniStack")
    shutil.rmtree(paths.scratch, ignore_errors=True)  # it leaves extracted function code behind
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
            query_settings.variable("debounce_scale"): str(settings.debounce_scale),
            mappings.SCALE: str(settings.interval_scale),
            **collector_port.environment(settings.collector, project.default),
            **jobs_port.environment(settings.jobs, project.default),
            **edge_port.environment(settings.site, project.default),
        },
    )
    arguments = [str(paths.run), str(port), str(state.clean_marker(paths))]
    state.clean_marker(paths).unlink(missing_ok=True)
    pid = processes.start(
        "infra.local.ministack.emulator", arguments, made, log, record=(paths.run, emulator.NAME)
    )
    processes.wait_until(
        lambda: emulator.is_healthy(context.endpoint_url, context.ca_bundle),
        "MiniStack",
        pid,
        log,
        seconds=_SECONDS_TO_START,
    )


def _start_server(
    paths: LocalPaths,
    settings: LocalSettings,
    progress: Progress,
    project: Project,
    environ: Mapping[str, str],
) -> None:
    progress("starting the local server")
    context, log = _context(paths, settings), paths.log(server.NAME)
    trust = _trust(context)
    made = {**environ, **process_memory.ENVIRONMENT, **settings.to_environ(), **trust}
    arguments = [str(paths.root), str(project.file)]
    pid = processes.start("infra.local.server", arguments, made, log, record=(paths.run, server.NAME))
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
