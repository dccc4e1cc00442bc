"""`penstock failed` run against a local cloud, and records for it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner, Result

from infra.local.cloud import LocalCloud
from infra.project.project import Project
from tests.golden.poison.corpus import changed
from tests.shop import SHOP, TABLES
from transforms.failed.arrow import read_parquet
from transforms.failed.cli import failed_app
from transforms.failed.s3_bucket import S3Objects

TABLE = TABLES["web_events"]


FOLDER = "failed/processing-failed/dt=2026-11-24/"


REPAIR = """
def mend(raw):
    return raw.replace(b'"status":"200"', b'"status":200') if b'"status":"200"' in raw else None
"""


def event(number: int, **members: Any) -> bytes:
    return changed(event_id=f"01927f2e-7b1c-7abc-8def-{number:012x}", seq=number, **members)


def broken(number: int, **members: Any) -> bytes:
    """An event that REPAIR fixes."""
    return event(number, **members).replace(b'"status":200', b'"status":"200"')


def unreadable_line(number: int = 17, reason: str = "the quotes are not closed") -> bytes:
    line = '203.0.113.9 - - [20/May/2015:12:05:17 +0000] "GET /a HTTP/1.1" 200 235 "-" "Mozilla/5.0 (X11)'
    payload = {"position": f"access.log:{number}", "line": line, "reason": reason}
    return event(0 if number == 17 else 100 + number, event_type="unreadable_line", payload=payload)


@dataclass
class Console:
    """What the command is given: a bucket, the deployed function, clients. Runs the command."""

    cloud: LocalCloud
    lake_bucket: str
    pseudonym_secrets: Mapping[str, tuple[str, str]]
    json: bool = False
    project: Project = SHOP

    def client(self, service: str) -> Any:
        return self.cloud.context.client(service)

    def run(self, *arguments: str, code: int = 0) -> Result:
        ran = CliRunner().invoke(failed_app, arguments, obj=self)
        assert ran.exit_code == code, (ran.output, ran.exception)
        return ran

    def told(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run(*arguments, "--json", code=code).stdout)
        return found

    def put(self, key: str, body: bytes) -> None:
        self.client("s3").put_object(Bucket=self.lake_bucket, Key=key, Body=body)

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        objects = S3Objects(self.client("s3"), self.lake_bucket)
        return {name.key: objects.get(name.key) or b"" for name in objects.names(prefix)}

    def landed(self) -> list[int]:
        """Sequence numbers of the rows of the lake."""
        return sorted(
            row["seq"]
            for body in self.objects(TABLE.prefix).values()
            for row in read_parquet(body, TABLE).to_pylist()
        )
