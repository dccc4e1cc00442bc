"""MiniStack, wrapped: the environment it runs in, and the module that a process of its own runs.

Everything that is particular to MiniStack is in this file, in the modules whose `install` it calls, and in
`tests/infra/local/ministack`.
"""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from infra.local import process_memory, processes
from infra.local.access import emulator_gate
from infra.local.access.keys import Keys
from infra.local.access.route_signatures import RouteSignatures, asks_for_signature
from infra.local.edge import port as edge_port
from infra.local.edge.looking import Looking
from infra.local.ministack import (
    collector_port,
    conditions,
    delivery_metrics,
    disk_paths,
    end_marks,
    error_types,
    execution_starts,
    expire,
    fast_json,
    http_api,
    jobs_port,
    kept_logs,
    kept_objects,
    kept_records,
    kept_tokens,
    lent_threads,
    log_groups,
    mappings,
    ordered_index,
    partitions,
    pool_keys,
    queue_addresses,
    queue_integration,
    schedule_times,
    service_roles,
    snapshots,
    unwanted_events,
    web_server,
    worker_ends,
    worker_pipes,
    worker_runtime,
)
from infra.local.parts.context import REGION
from infra.local.paths import LocalPaths
from infra.local.processes import LOOPBACK

NAME = "ministack"
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "VIRTUAL_ENV", "PYTHONPATH")


def environment(
    paths: LocalPaths,
    port: int,
    server_url: str,
    *,
    keys: Keys,
    inherited: Mapping[str, str],
    enforce_iam: bool = False,
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The environment of MiniStack, which its function workers inherit. A few names of `inherited` are kept.

    Proxies, certificate bundles and AWS settings of the caller stay outside: each of them breaks a worker in
    a way that only its log tells.
    """
    made = {name: inherited[name] for name in _INHERITED if name in inherited} | {
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": LOOPBACK,
        # Both listeners bind every interface, whatever BIND_HOST says.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "LOG_LEVEL": "WARNING",
        # Powertools takes LOG_LEVEL for its own, and without INFO lines nobody knows what was dropped.
        "POWERTOOLS_LOG_LEVEL": "INFO",
        # Nobody collects traces here, and one of each call is a tenth of what the query function does.
        "POWERTOOLS_TRACE_DISABLED": "true",
        "AWS_ENDPOINT_URL_ATHENA": server_url,
        "AWS_ENDPOINT_URL_FIREHOSE": server_url,
        "AWS_ENDPOINT_URL_QUICKSIGHT": server_url,
        "AWS_ACCESS_KEY_ID": keys.access_key_id,
        "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
        "AWS_DEFAULT_REGION": REGION,
        "PERSIST_STATE": "1",
        "STATE_DIR": str(paths.state / NAME),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(paths.objects),
        "TMPDIR": str(paths.scratch),
        "NO_PROXY": LOOPBACK,
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
    }
    made |= process_memory.ENVIRONMENT
    if enforce_iam:
        made |= {"AUTH": "true", "USE_SSL": "1"}
    return made | dict(extra or {})


def state(paths: LocalPaths) -> Path | None:
    """The folder with the state that MiniStack can start from; None when there is none."""
    found = snapshots.newest(paths.snapshots)
    if found is None and (paths.state / "clean").exists():  # as an earlier Penstock left it
        return paths.state / NAME
    return found


def certificate(paths: LocalPaths) -> Path:
    """The certificate that MiniStack makes for itself when it speaks TLS."""
    return paths.scratch / "ministack-tls" / "server.crt"


def url(port: int, *, enforce_iam: bool = False) -> str:
    """Where MiniStack answers."""
    return f"{'https' if enforce_iam else 'http'}://{LOOPBACK}:{port}"


def is_healthy(base_url: str, ca_bundle: Path | None = None) -> bool:
    """Whether MiniStack answers there."""
    return answers(f"{base_url}/_ministack/health", "GET", ca_bundle)


def answers(target: str, method: str, ca_bundle: Path | None = None) -> bool:
    """Whether the URL answers 200."""
    import ssl

    try:
        # MiniStack may be writing the certificate at this moment: that is an SSLError, and no answer yet.
        trust = (
            ssl.create_default_context(cafile=str(ca_bundle)) if ca_bundle and ca_bundle.exists() else None
        )
        request = urllib.request.Request(target, method=method)  # noqa: S310 - loopback, built above
        with urllib.request.urlopen(request, timeout=10, context=trust) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _other_ports(keys: Keys, run: Path) -> list[tuple[int, Callable[[Any], Any]]]:
    """The ports of the collector, the jobs API and the site, with their applications, where deployed."""
    signatures = RouteSignatures(asks_for_signature, partial(emulator_gate.secret, keys))

    def port(api: str, paths: tuple[str, ...]) -> Callable[[Any], Any]:
        found = collector_port.api_named(api)
        return lambda app: collector_port.CollectorPort(app, found, signatures, paths)

    def edge(app: Any) -> Any:
        return edge_port.application(
            app, collector_port.api_named(os.environ[edge_port.API_NAME]), signatures, Looking(run).note
        )

    site = [(int(os.environ[edge_port.PORT]), edge)] if edge_port.API_NAME in os.environ else []
    return site + [
        (int(os.environ[number]), port(os.environ[name], paths))
        for name, number, paths in (
            (collector_port.API_NAME, collector_port.PORT, (collector_port.PATHS,)),
            (jobs_port.API_NAME, jobs_port.PORT, jobs_port.PATHS),
        )
        if name in os.environ
    ]


def main() -> None:
    """Run MiniStack in this process: `python -m infra.local.ministack.emulator RUN_FOLDER PORT [MARKER]`.

    The marker is a file that is written once MiniStack has ended in order: only then is its state whole.
    """
    run, port, markers = Path(sys.argv[1]), int(sys.argv[2]), [Path(each) for each in sys.argv[3:]]
    held = processes.hold(run, NAME, {"port": port})
    keys = Keys(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    expire.install()
    conditions.install()
    ordered_index.install()
    fast_json.install()
    paths = LocalPaths(run.parent)
    kept_records.install(paths.stream)
    queue_addresses.install()
    service_roles.install()
    log_groups.install()
    from ministack.app import main as serve
    from ministack.core import lambda_runtime

    lambda_runtime._PYTHON_WORKER_SCRIPT = worker_runtime.worker_script(lambda_runtime._PYTHON_WORKER_SCRIPT)

    lent_threads.install()
    worker_pipes.install()
    worker_ends.install()
    end_marks.install()
    error_types.install()
    mappings.install()
    partitions.install()
    disk_paths.install()
    unwanted_events.install()
    kept_objects.install()
    kept_logs.install()
    kept_tokens.install()
    delivery_metrics.install(keys)
    emulator_gate.install(keys)
    http_api.install()
    pool_keys.install()
    schedule_times.install()
    queue_integration.install()
    execution_starts.install()
    web_server.install(lambda app: emulator_gate.guarded(app, keys), _other_ports(keys, run))
    snapshots.install(paths.snapshots, state(paths))
    process_memory.settle()
    os.chdir(run)
    sys.argv = [NAME]  # it parses the command line too
    serve()
    for marker in markers:
        marker.write_text("MiniStack wrote its state and ended.\n", encoding="utf-8")
    held.close()


if __name__ == "__main__":
    main()
