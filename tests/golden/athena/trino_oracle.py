"""Asks a real Trino for the corpus: `python -m tests.golden.athena.trino_oracle [--freeze]`.

Starts the server of the Maven artefact io.trino:trino-server on a free port of this machine, with the memory
connector only: every corpus query brings its rows. Without `--freeze` its answers are compared with the frozen ones
and with the endpoint's; with it they are written down. Where Maven or a fitting JDK is missing it says so and ends.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.local.processes import free_ports
from tests.golden.athena.corpus import (
    FOLDER,
    Golden,
    expressions,
    frozen,
    golden_expressions,
    golden_queries,
    queries,
)
from tests.golden.athena.wire import same_value

VERSION, LEAST_JAVA = "476", 24
ARTEFACT = f"io.trino:trino-server:{VERSION}:tar.gz"
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:get"
_JVM = (
    "-Xmx1G",
    "-XX:+UseG1GC",
    "-Djdk.attach.allowAttachSelf=true",
    "--add-modules=jdk.incubator.vector",
    "--enable-native-access=ALL-UNNAMED",
    "-Dfile.encoding=UTF-8",
)
_PARTS = (
    f"trino-server-{VERSION}/lib/",
    f"trino-server-{VERSION}/bin/",
    f"trino-server-{VERSION}/plugin/memory/",
)


class OracleMissingError(RuntimeError):
    """The real Trino cannot run here; the message says what is missing."""


def java_home() -> Path:
    """A JDK that is new enough. Raises OracleMissingError."""
    homes = [Path(os.environ["JAVA_HOME"])] if "JAVA_HOME" in os.environ else []
    homes += sorted(Path("/usr/lib/jvm").glob("*")) if Path("/usr/lib/jvm").exists() else []
    for home in homes:
        release = home / "release"
        if release.exists():
            version = release.read_text().partition('JAVA_VERSION="')[2].partition('"')[0].partition(".")[0]
            if version.isdigit() and int(version) >= LEAST_JAVA:
                return home
    raise OracleMissingError(
        f"Skipped: Trino {VERSION} needs a JDK {LEAST_JAVA} or newer. Set JAVA_HOME to one."
    )


def archive() -> Path:
    """The server's archive, fetched with Maven when it is not there. Raises OracleMissingError."""
    repository = Path.home() / ".m2" / "repository" / "io" / "trino" / "trino-server" / VERSION
    found = repository / f"trino-server-{VERSION}.tar.gz"
    if not found.exists():
        maven = shutil.which("mvn")
        if maven is None:
            raise OracleMissingError("Skipped: Maven (mvn) is not installed, and Trino comes from there.")
        subprocess.run(
            [maven, "-q", "-B", _PLUGIN, f"-Dartifact={ARTEFACT}", "-Dtransitive=false"], check=True
        )
    return found


def unpack(folder: Path, port: int) -> None:
    """The parts of the server that the corpus needs, and its configuration."""
    with tarfile.open(archive()) as tar:
        members = [m for m in tar if m.name.startswith(_PARTS)]
        tar.extractall(folder, members=members, filter="data")
    home = folder / f"trino-server-{VERSION}"
    etc = home / "etc"
    (etc / "catalog").mkdir(parents=True)
    (etc / "node.properties").write_text(
        f"node.environment=oracle\nnode.id=oracle\nnode.data-dir={folder / 'data'}\n"
    )
    (etc / "jvm.config").write_text("-server\n" + "\n".join(_JVM) + "\n")
    (etc / "log.properties").write_text("io.trino=WARN\n")
    (etc / "catalog" / "memory.properties").write_text("connector.name=memory\n")
    (etc / "config.properties").write_text(
        "coordinator=true\nnode-scheduler.include-coordinator=true\ncatalog.management=static\n"
        f"http-server.http.port={port}\ndiscovery.uri=http://127.0.0.1:{port}\nnode.internal-address=127.0.0.1\n"
        "query.max-memory=512MB\nquery.max-memory-per-node=400MB\nmemory.heap-headroom-per-node=200MB\n"
    )


@contextmanager
def server() -> Iterator[str]:
    """A running Trino; yields where its statements go. Raises OracleMissingError."""
    home = java_home()
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        unpack(folder, port)
        launcher = folder / f"trino-server-{VERSION}" / "bin" / "launcher"
        environment = {**os.environ, "JAVA_HOME": str(home), "PATH": f"{home / 'bin'}:{os.environ['PATH']}"}
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([launcher, "run"], env=environment, stdout=log, stderr=log)
        try:
            _wait(f"http://127.0.0.1:{port}/v1/info", process)
            yield f"http://127.0.0.1:{port}/v1/statement"
        finally:
            process.terminate()
            process.wait(30)


def _wait(url: str, process: "subprocess.Popen[bytes]", seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if not json.load(answer)["starting"]:
                    return
        except OSError:
            pass
        time.sleep(0.5)
    raise OracleMissingError("Trino did not start in time.")


def ask(url: str, sql: str) -> dict[str, Any]:
    """Columns and rows, or the error, of one query."""
    headers = {
        "X-Trino-User": "oracle",
        "X-Trino-Catalog": "memory",
        "X-Trino-Schema": "default",
        "X-Trino-Time-Zone": "UTC",
        "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME",
    }
    request: Any = urllib.request.Request(url, sql.encode(), headers, method="POST")
    columns: list[list[str]] = []
    rows: list[Any] = []
    while True:
        with urllib.request.urlopen(request, timeout=60) as answer:
            page = json.load(answer)
        if "error" in page:
            return {"error": f"{page['error']['errorName']}: {page['error']['message']}"}
        columns = [[c["name"], c["type"]] for c in page["columns"]] if "columns" in page else columns
        rows += page.get("data", [])
        if "nextUri" not in page:
            return {"columns": columns, "rows": rows}
        request = page["nextUri"]


def freeze(url: str) -> None:
    """Write Trino's answers down."""
    lines = [frozen(asked(url, sql, section)) for section, sql in expressions()]
    write("expressions.jsonl", lines)
    write("queries.jsonl", [{"sql": query.sql, **ask(url, query.full)} for query in queries()])


def asked(url: str, sql: str, section: str = "generated") -> Golden:
    """Trino's answer to one expression."""
    full = f"SELECT {sql}"
    found = ask(url, full)
    if "error" in found:
        return Golden(sql, full, section, error=found["error"])
    return Golden(sql, full, section, [["", found["columns"][0][1]]], [[found["rows"][0][0]]])


def asked_query(url: str, sql: str) -> Golden:
    """Trino's answer to one query that brings its rows."""
    found = ask(url, sql)
    return Golden(
        sql, sql, "generated", found.get("columns", []), found.get("rows", []), found.get("error", "")
    )


def write(name: str, lines: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (FOLDER / name).write_text(text, encoding="utf-8")


def differences(url: str) -> list[str]:
    """Corpus entries to which this Trino answers otherwise than is frozen."""
    found = []
    for golden in [*golden_expressions(), *golden_queries()]:
        now = ask(url, golden.full)
        if bool(golden.error) != ("error" in now) or (
            not golden.error and not same_value(now["rows"], golden.rows)
        ):
            found.append(f"{golden.sql}\n    frozen: {golden.error or golden.rows}\n    now:    {now}")
    return found


def main() -> int:
    """Freeze or compare; 0 when all is equal or Trino cannot run here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--freeze", action="store_true", help="write Trino's answers down")
    arguments = parser.parse_args()
    try:
        with server() as url:
            if arguments.freeze:
                freeze(url)
                return 0
            found = differences(url)
    except OracleMissingError as missing:
        sys.stderr.write(f"{missing}\n")
        return 0
    total = len(golden_expressions()) + len(golden_queries())
    sys.stdout.write(
        "\n".join([*found, f"Trino {VERSION}: {total - len(found)} of {total} answers are as frozen."]) + "\n"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
