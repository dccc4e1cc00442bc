"""Cold starts of the functions of the API: CPU of a new process from its start to its first answer.

The code is that of the deployed artefacts, the libraries are those that they carry or Lambda has, and no
other one of this machine; DynamoDB and S3 are those of a running local cloud.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from benchmarks.shop import SHOP
from infra.stacks.artefact_zips import locked_requirements, source_files
from infra.stacks.artefacts import API, READER, Artefact
from tests.end_to_end.jobs_rig import World

LIMIT_MS = 600.0
OF_LAMBDA = ("boto3", "botocore", "s3transfer", "urllib3", "python-dateutil", "six", "jmespath")
RESOLVER = "Powertools' HTTP resolver alone"
_PROGRAM = """
import json, sys, time
asked = json.loads(sys.argv[1])
if asked["resolver"]:
    import aws_lambda_powertools
    began = time.process_time()
    import aws_lambda_powertools.event_handler
    print(time.process_time() - began)
    sys.exit()
from importlib import import_module
module, _, name = asked["handler"].rpartition(".")
answer = getattr(import_module(module), name)(asked["event"], asked["context"])
assert answer["statusCode"] < 300, answer
print(time.process_time())
"""


def cold_starts(world: World, rows: str, rounds: int = 7) -> dict[str, float]:
    """Median CPU milliseconds by what is asked for first; `rows` is the query string of a page of rows."""
    page = "/v1/reports/{name}/rows"
    kinds: Mapping[str, tuple[Artefact, str, dict[str, Any]]] = {
        "a page of rows": (READER, world.outputs.reader_function, _event(world, page, rows)),
        "the list of reports": (READER, world.outputs.reader_function, _event(world, "/v1/reports", "")),
        "the list of jobs": (API, world.outputs.api_function, _event(world, "/v1/jobs", "limit=5")),
    }
    taken: dict[str, list[float]] = {name: [] for name in (*kinds, RESOLVER)}
    with tempfile.TemporaryDirectory() as folder:
        for artefact in (READER, API):
            for name, content in source_files(artefact, SHOP.folders).items():
                path = Path(folder, artefact.name, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            _link_libraries(artefact, Path(folder, artefact.name))
        for number in range(1 + rounds):
            for kind, (artefact, function, event) in kinds.items():
                found = _run(world, Path(folder, artefact.name), function, artefact.handler, event)
                if number:  # the first one writes the modules' compiled forms
                    taken[kind].append(found)
            taken[RESOLVER].append(
                _run(world, Path(folder, READER.name), world.outputs.reader_function, "", {})
            )
    return {name: statistics.median(found) for name, found in taken.items()}


def _link_libraries(artefact: Artefact, folder: Path) -> None:
    locked = re.findall(r"^([\w.-]+)==", locked_requirements(artefact), re.MULTILINE)
    for name in {*locked, *OF_LAMBDA}:
        found = distribution(name)
        for top in {
            file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")
        }:
            if not Path(folder, top).exists():
                Path(folder, top).symlink_to(str(found.locate_file(top)))


def _run(world: World, folder: Path, function: str, handler: str, event: dict[str, Any]) -> float:
    functions = world.chain.client("lambda")
    deployed = functions.get_function_configuration(FunctionName=function)
    environ = {
        "PATH": os.environ["PATH"],
        **world.cloud.environment(),
        **deployed["Environment"]["Variables"],
    }
    asked = {"handler": handler, "event": event, "context": None, "resolver": not handler}
    done = subprocess.run(
        [sys.executable, "-S", "-c", _PROGRAM, json.dumps(asked)],
        env=environ, cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return float(done.stdout.splitlines()[-1]) * 1000


def _event(world: World, path: str, query: str) -> dict[str, Any]:
    """A request as the gateway hands it on, signed by a principal of IAM."""
    raw = f"/iam{path}".replace("{name}", "traffic_by_hour")
    return {
        "version": "2.0",
        "routeKey": f"GET /iam{path}",
        "rawPath": raw,
        "rawQueryString": query,
        "queryStringParameters": dict(part.split("=") for part in query.split("&") if part),
        "pathParameters": {"name": "traffic_by_hour"},
        "headers": {"host": world.place},
        "requestContext": {
            "requestId": "r-1",
            "authorizer": {"iam": {"userArn": "arn:aws:iam::111122223333:role/bench"}},
            "http": {"method": "GET", "path": raw},
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
