"""The refresh function is told of every publish of a report that it knows, once."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from dashboards.settings import Settings
from infra.local.edge.looking import SECONDS, Looking
from infra.local.parts.catalogue_events import CatalogueEvents, event
from infra.local.paths import LocalPaths
from infra.site.function.settings import Settings as SiteSettings
from queries.updates.settings import Settings as UpdatesSettings


class _Cloud:
    """Glue's partitions and a function, behind one client."""

    def __init__(self, folder: Path) -> None:
        self.paths = LocalPaths(folder)
        self.paths.make()
        self.told: list[Any] = []
        self.served: dict[str, str] = {}
        self.is_away = False

    def client(self, _: str) -> "_Cloud":
        return self

    def get_function_configuration(self, *, FunctionName: str) -> Any:  # noqa: N803 - as boto3 has it
        if FunctionName == "extract":
            site = SiteSettings("data", "reporting", "penstock", "funnel_by_day")
            return {"Environment": {"Variables": site.to_environ()}}
        if FunctionName == "updates":
            updates = UpdatesSettings("http://127.0.0.1/graphql", "ledger", "reporting", "penstock")
            return {"Environment": {"Variables": updates.to_environ()}}
        variables = Settings("000000000000", "penstock", {"funnel_by_day": "penstock-funnel-by-day"})
        return {"Environment": {"Variables": variables.to_environ()}}

    def get_paginator(self, _: str) -> Any:
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, **_: Any) -> Any:
        partitions = [{"Values": [v], "StorageDescriptor": {"Location": at}} for v, at in self.served.items()]
        return [{"Partitions": partitions}]

    def invoke(self, **request: Any) -> None:
        if self.is_away:
            raise ClientError({"Error": {"Code": "TooManyRequestsException", "Message": ""}}, "Invoke")
        self.told.append((request["FunctionName"], json.loads(request["Payload"])))


def test_each_publish_is_announced_once_also_after_a_call_that_failed(tmp_path: Path) -> None:
    cloud: Any = _Cloud(tmp_path)
    events = CatalogueEvents(cloud)
    assert events.look() == []  # nothing is deployed yet
    cloud.paths.outputs.write_text(json.dumps({"stacks": {"s": {"outputs": {"RefreshFunction": "refresh"}}}}))
    assert events.look() == []  # nothing is published yet
    cloud.served["2026-11-24"] = "s3://b/run=1/"
    cloud.is_away = True
    assert events.look() == []
    cloud.is_away = False
    assert events.look() == ["funnel_by_day"]
    assert events.look() == []
    cloud.served["2026-11-24"] = "s3://b/run=2/"
    assert events.look() == ["funnel_by_day"]
    assert cloud.told == [("refresh", event("penstock", "funnel_by_day"))] * 2


def test_live_updates_hear_of_every_report_and_only_while_somebody_listens(tmp_path: Path) -> None:
    cloud: Any = _Cloud(tmp_path)
    listeners: list[str] = []
    events = CatalogueEvents(cloud, ["funnel_by_day", "orders_by_hour"], lambda: bool(listeners))
    outputs = {"RefreshFunction": "refresh", "UpdatesFunction": "updates"}
    cloud.paths.outputs.write_text(json.dumps({"stacks": {"s": {"outputs": outputs}}}))
    cloud.served["2026-11-24"] = "s3://b/run=1/"
    assert events.look() == ["funnel_by_day", "orders_by_hour"]
    assert {function for function, _ in cloud.told} == {"refresh"}
    cloud.told.clear()
    listeners.append("somebody")
    assert events.look() == []  # who has just come asks what there is
    cloud.served["2026-11-24"] = "s3://b/run=2/"
    events.look()
    assert [(function, told["detail"]["tableName"]) for function, told in cloud.told] == [
        ("refresh", "funnel_by_day"),
        ("updates", "funnel_by_day"),
        ("updates", "orders_by_hour"),
    ]


def test_the_site_is_drawn_while_a_page_is_open_of_all_that_came_meanwhile(tmp_path: Path) -> None:
    cloud: Any = _Cloud(tmp_path)
    now = [1000.0]
    looking = Looking(cloud.paths.run, lambda: now[0])
    events = CatalogueEvents(cloud, looking=looking)
    outputs = {"RefreshFunction": "refresh", "ExtractFunction": "extract"}
    cloud.paths.outputs.write_text(json.dumps({"stacks": {"s": {"outputs": outputs}}}))
    cloud.served["2026-11-24"] = "s3://b/run=1/"
    events.look()
    events.look()
    assert [function for function, _ in cloud.told] == ["refresh"]
    looking.note("/api/v1/jobs")
    assert not looking()
    looking.note("/api/v1/dashboards")
    now[0] = (cloud.paths.run / "site-looked").stat().st_mtime
    events.look()
    events.look()
    assert [function for function, _ in cloud.told] == ["refresh", "extract"]
    now[0] += SECONDS
    cloud.served["2026-11-24"] = "s3://b/run=2/"
    events.look()
    assert [function for function, _ in cloud.told] == ["refresh", "extract", "refresh"]
