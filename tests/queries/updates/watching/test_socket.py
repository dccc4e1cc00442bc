"""Publishing and following over real sockets, against the local AppSync with the schema that is deployed."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials
from msgspec.structs import replace

from infra.stacks.update_mapping import REQUEST, RESPONSE
from queries.updates.appsync import AppSync, AppSyncError, AppSyncPublisher
from queries.updates.messages import MUTATIONS, ReportUpdate, job_update
from queries.updates.port import NotPublishedError
from queries.updates.watching.documents import JOB_CHANGED
from queries.updates.watching.protocol import SubscriptionLostError, SubscriptionRefusedError
from queries.updates.watching.socket import subscribed
from tests.infra.local.graphql.rig import API, Rig, served
from tests.queries.updates.sdl import SDL
from tests.queries.updates.things import PLANNED, QUEUED

REPORTS = "subscription($name: String) { reportPublished(name: $name) { name version asOf publishedAt } }"


@dataclass(frozen=True)
class Live:
    """Our API on a running local AppSync."""

    rig: Rig
    graphql_url: str
    realtime_url: str

    def asking(self, credentials: Credentials | None = None) -> AppSync:
        return AppSync(self.graphql_url, credentials or self.rig.credentials, "us-east-1")

    @property
    def publisher(self) -> AppSyncPublisher:
        return AppSyncPublisher(self.graphql_url, self.rig.credentials, "us-east-1")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with _live(tmp_path_factory.mktemp("live")) as made:
        yield made


@contextmanager
def _live(folder: Path) -> Iterator[Live]:
    with served(folder) as rig:
        handlers = rig.service.resources
        _, made = handlers["AWS::AppSync::GraphQLApi"].create("Live", API)
        of = {"ApiId": made["ApiId"]}
        handlers["AWS::AppSync::GraphQLSchema"].create("Schema", {**of, "Definition": SDL})
        handlers["AWS::AppSync::DataSource"].create("None", {**of, "Name": "HandedOn", "Type": "NONE"})
        for field in MUTATIONS.values():
            resolver = {"TypeName": "Mutation", "FieldName": field, "DataSourceName": "HandedOn"}
            templates = {"RequestMappingTemplate": REQUEST, "ResponseMappingTemplate": RESPONSE}
            handlers["AWS::AppSync::Resolver"].create(field, {**of, **resolver, **templates})
        yield Live(rig, made["GraphQLUrl"], made["RealtimeUrl"])


def test_a_follower_of_a_job_hears_of_it_and_of_no_other(live: Live) -> None:
    with subscribed(
        live.asking(), live.graphql_url, live.realtime_url, JOB_CHANGED, {"jobId": "one"}
    ) as updates:
        live.publisher.publish(job_update(replace(QUEUED, job_id="two")))
        live.publisher.publish(job_update(QUEUED))
        live.publisher.publish(job_update(PLANNED))
        heard = [updates.next(30), updates.next(30)]
    assert heard == [
        {"jobId": "one", "revision": 1, "state": "QUEUED", "done": 0, "total": None},
        {"jobId": "one", "revision": 3, "state": "RUNNING", "done": 1, "total": 3},
    ]


def test_without_an_argument_everything_is_heard(live: Live) -> None:
    report = ReportUpdate(
        name="orders_by_hour", version="a", as_of=None, published_at="2026-11-24T10:00:00.000Z"
    )
    with subscribed(live.asking(), live.graphql_url, live.realtime_url, REPORTS, {"name": None}) as updates:
        live.publisher.publish(report)
        assert updates.next(30) == {
            "name": "orders_by_hour", "version": "a", "asOf": None, "publishedAt": "2026-11-24T10:00:00.000Z",
        }  # fmt: skip
        assert updates.next(0.01) is None


def test_who_has_a_wrong_key_is_refused_for_good_and_may_not_publish(live: Live) -> None:
    forged = Credentials(live.rig.credentials.access_key, "a secret that nobody has here")
    place: tuple[str, str, str, dict[str, Any]] = (live.graphql_url, live.realtime_url, JOB_CHANGED, {})
    with pytest.raises(SubscriptionRefusedError), subscribed(live.asking(forged), *place):
        pass
    with pytest.raises(NotPublishedError, match="AppSync answered 40"):
        AppSyncPublisher(live.graphql_url, forged, "us-east-1").publish(job_update(QUEUED))
    with pytest.raises(AppSyncError, match="nothing"):
        live.asking().ask("{ nothing }", {})


def test_a_server_that_ends_or_is_not_there_is_a_loss(tmp_path: Path) -> None:
    with ExitStack() as running:
        live = running.enter_context(_live(tmp_path))
        place: tuple[str, str, str, dict[str, Any]] = (live.graphql_url, live.realtime_url, JOB_CHANGED, {})
        with pytest.raises(SubscriptionLostError), subscribed(live.asking(), *place) as updates:
            running.close()
            updates.next(30)
    with pytest.raises(SubscriptionLostError), subscribed(live.asking(), *place):
        pass
    with pytest.raises(AppSyncError, match="does not answer"):
        live.asking().ask("{ jobs { jobId } }", {})
