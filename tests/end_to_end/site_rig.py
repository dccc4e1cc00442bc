"""The report site of a running cloud, asked without a browser."""

import json
import os
import re
import signal
import time
from collections import defaultdict
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import structs

from dashboards.site.places import DATA, LATEST, ROWS
from dashboards.site.pointer import Latest, written
from dashboards.site.publishing import read_latest
from tests.end_to_end.jobs_rig import World


class Site:
    """The site as a browser asks it."""

    def __init__(self, world: World) -> None:
        self.world, self.url = world, world.cloud.site_url
        self.place = urlsplit(self.url).netloc

    def ask(
        self, path: str, method: str = "GET", body: bytes = b"", bearer: str = "", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection(self.place, timeout=240)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            if bearer:
                named["Authorization"] = f"Bearer {bearer}"
            connection.request(method, path, body, named)
            found = connection.getresponse()
            told = {name.lower(): value for name, value in found.getheaders()}
            return found.status, told, found.read()
        finally:
            connection.close()

    def json(self, path: str, bearer: str, **more: Any) -> Any:
        status, _, body = self.ask(path, bearer=bearer, **more)
        assert status == 200, body
        return json.loads(body)

    def traffic(self, bearer: str) -> Any:
        """The dashboard of pages, as it is listed."""
        listed = self.json("/api/v1/dashboards", bearer)["dashboards"]
        return next(each for each in listed if each["name"] == "traffic")


def shown(site: Site, bearer: str, choices: str) -> tuple[int, int]:
    """Page views of the day as the figure says them, and as the hours of the chart add up to."""
    body = {"sheet": "overview", "version": site.traffic(bearer)["version"], "state": choices}
    sent = json.dumps(body).encode()
    tiles = site.json("/api/v1/dashboards/traffic/view", bearer, method="POST", body=sent)["tiles"]
    drawn = {tile["id"]: tile["rows"] for tile in tiles if tile["id"] in ("page-views", "views-by-time")}
    return drawn["page-views"][-1][-1], sum(row[1] for row in drawn["views-by-time"])


class Extracts:
    """What the extract function publishes of the dashboard of pages, and the processes that do it."""

    def __init__(self, site: Site) -> None:
        self._world, self._function = site.world, site.world.outputs.extract_function
        self._bucket = site.world.outputs.site_data_bucket
        self._functions, self._objects = (site.world.chain.client(name) for name in ("lambda", "s3"))

    def latest(self) -> Latest:
        return read_latest(self._objects.get_object(Bucket=self._bucket, Key=LATEST)["Body"].read())

    def draw(self, kind: str = "RequestResponse") -> None:
        """Have drawn whatever changed; `Event` does not wait for it."""
        answer = self._functions.invoke(FunctionName=self._function, InvocationType=kind, Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()

    def forget(self) -> str:
        """Let the pointer say that something else was drawn, as after a change; the version that it names."""
        latest = self.latest()
        traffic = structs.replace(latest.dashboards["traffic"], digest="0" * 64)
        body = written(Latest({**latest.dashboards, "traffic": traffic}))
        self._objects.put_object(Bucket=self._bucket, Key=LATEST, Body=body)
        return traffic.version

    def objects(self) -> dict[str, set[str]]:
        """The objects of each version that has any: which sheets and rows of which audience they are."""
        found = defaultdict[str, set[str]](set)
        pages = self._objects.get_paginator("list_objects_v2")
        for prefix in (f"{DATA}traffic/", f"{ROWS}traffic/"):
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                for each in page.get("Contents", ()):
                    [version] = re.findall(r"\d{13}-[0-9a-f]{12}", each["Key"])
                    found[version].add(each["Key"].replace(version, ""))
        return found

    def workers(self) -> list[int]:
        """The processes that run the function in the cloud that has this folder."""
        scratch, found = str(self._world.cloud.context.paths.scratch), []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                line = entry.read_bytes().decode(errors="replace")
                if scratch in line and f"ministack-lambda-{self._function}" in line:
                    found.append(int(entry.parent.name))
        return found

    def killed_while_it_writes(self, seconds: float = 60) -> tuple[str, str] | None:
        """Draw, and kill the function's processes once objects of a new version are seen; the version that the
        pointer named before and the new one, or None when the pointer had moved by then.
        """
        self.draw()
        known, workers = set(self.objects()), self.workers()
        assert workers
        before = self.forget()
        self.draw("Event")
        deadline = time.monotonic() + seconds
        while not (new := set(self.objects()) - known):
            assert time.monotonic() < deadline, "nothing was drawn"
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        after = self.latest().dashboards["traffic"].version
        return (before, new.pop()) if after == before else None
