"""The report site of a running cloud, asked without a browser."""

import json
import os
import signal
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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


def kill_workers(scratch: str, function: str) -> int:
    """Kill the processes of a function of the cloud that has this folder; how many they were."""
    found = 0
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            line = entry.read_bytes().decode(errors="replace")
            if scratch in line and f"ministack-lambda-{function}" in line:
                os.kill(int(entry.parent.name), signal.SIGKILL)
                found += 1
    return found
