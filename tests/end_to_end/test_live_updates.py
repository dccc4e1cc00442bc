"""Live updates on the running cloud: what is written in the jobs table or published reaches who listens, and nobody else."""

import asyncio
import json
import os
import signal
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from itertools import islice
from queue import Queue
from typing import Any
from urllib.parse import urlsplit

import pytest
from gql import Client, GraphQLRequest, gql
from gql.transport.appsync_auth import AppSyncJWTAuthentication
from gql.transport.appsync_websockets import AppSyncWebsocketsTransport
from gql.transport.exceptions import TransportQueryError
from gql.transport.requests import RequestsHTTPTransport

from infra.local import cloud, processes, server
from infra.local.cloud import LocalCloud
from infra.local.parts.catalogue_events import event
from queries.commands.watch_cli import publishes, watching
from queries.jobs.errors import UnknownJobError
from queries.updates.watching.documents import JOB, JOB_CHANGED
from tests.end_to_end.jobs_rig import World, target_of, token, until, written
from tests.shop import SHOP

pytestmark = pytest.mark.cloud

REPORT = "traffic_by_hour"


@pytest.fixture(scope="module")
def world(local_cloud: LocalCloud) -> World:
    return World(local_cloud)


def listeners(world: World) -> int:
    return int(world.cloud.context.ask("/_graphql/counts")["subscriptions"])


def updates_target(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    target: Any = target_of(world, monkeypatch)
    target.updates_url, target.updates_realtime_url = (
        world.outputs.updates_url, world.outputs.updates_realtime_url,
    )  # fmt: skip
    target.region = world.cloud.context.region
    return target


def socket(world: World, bearer: str) -> AppSyncWebsocketsTransport:
    auth = AppSyncJWTAuthentication(urlsplit(world.outputs.updates_url).netloc, bearer)
    return AppSyncWebsocketsTransport(world.outputs.updates_realtime_url, auth=auth)


async def heard(
    world: World, subscription: GraphQLRequest, bearer: str, act: Callable[[], None]
) -> AsyncGenerator[dict[str, Any]]:
    """What comes after `act`, which is done when the subscription is acknowledged."""
    before = listeners(world)
    async with (
        Client(transport=socket(world, bearer)) as session,
        aclosing(session.subscribe(subscription)) as updates,
    ):
        first = asyncio.ensure_future(anext(updates))
        while not first.done() and await asyncio.to_thread(listeners, world) <= before:
            await asyncio.sleep(0.05)
        await asyncio.to_thread(act)
        (update,) = (await first).values()
        yield update
        async for answer in updates:
            (update,) = answer.values()
            yield update


def test_a_person_sees_the_states_of_a_job_in_order_and_asks_for_the_same(world: World) -> None:
    job, bearer = written(world), token(world, "viewers")

    def work() -> None:
        other = written(world)
        running = written(world, job, state="RUNNING")
        planned = written(world, running, chunks=2)
        written(world, other, state="RUNNING")
        half = written(world, planned, done=(0,))
        written(world, half, state="SUCCEEDED", done=(0, 1), ended_at=half.created_at + 1)

    async def follow() -> list[dict[str, Any]]:
        asked = GraphQLRequest(JOB_CHANGED, variable_values={"jobId": job.job_id})
        found = []
        async with aclosing(heard(world, asked, bearer, work)) as updates:
            async for update in updates:
                found.append(update)
                if update["state"] == "SUCCEEDED":
                    break
        return found

    found = asyncio.run(asyncio.wait_for(follow(), 120))
    revisions = [update["revision"] for update in found]
    assert revisions == sorted(set(revisions))
    assert revisions[-1] == 5
    assert {update["jobId"] for update in found} == {job.job_id}
    client = Client(
        transport=RequestsHTTPTransport(world.outputs.updates_url, headers={"Authorization": bearer})
    )
    asked = client.execute(GraphQLRequest(JOB, variable_values={"jobId": job.job_id}))
    assert asked["job"] == found[-1]
    assert client.execute(GraphQLRequest(JOB, variable_values={"jobId": "nothing"})) == {"job": None}
    named = client.execute(gql("{ reports { name version access } jobs(limit: 1) { jobId } }"))
    assert {report["name"] for report in named["reports"]} == set(SHOP.reports)


def test_who_belongs_to_no_group_hears_and_asks_nothing_and_people_publish_nothing(world: World) -> None:
    stranger, operator = token(world), token(world, "operators")

    async def follow() -> None:
        async with Client(transport=socket(world, stranger)) as session:
            await anext(session.subscribe(gql("subscription { jobChanged { jobId } }")))

    with pytest.raises(TransportQueryError, match="Unauthorized"):
        asyncio.run(asyncio.wait_for(follow(), 60))
    publish = gql(
        'mutation { publishJob(input: {jobId: "a", revision: 1, state: QUEUED, done: 0}) { jobId } }'
    )
    for bearer, document in ((stranger, gql("{ jobs { jobId } }")), (operator, publish)):
        client = Client(
            transport=RequestsHTTPTransport(world.outputs.updates_url, headers={"Authorization": bearer})
        )
        with pytest.raises(TransportQueryError, match=r"Unauthorized|Not Authorized"):
            client.execute(document)


def test_a_publish_of_a_report_is_heard_with_the_version_that_readers_get(world: World) -> None:
    """The catalog's word is what the local server sends when partitions move; its poll has a test of its own."""
    bearer, moved = token(world, "viewers"), json.dumps(event(world.outputs.database, REPORT))

    def publish() -> None:
        function = world.outputs.updates_function
        answer = world.chain.client("lambda").invoke(FunctionName=function, Payload=moved)
        assert json.load(answer["Payload"]) == {"published": True}

    async def follow() -> dict[str, Any]:
        text = "subscription($name: String) { reportPublished(name: $name) { name version publishedAt } }"
        asked = GraphQLRequest(text, variable_values={"name": REPORT})
        async with aclosing(heard(world, asked, bearer, publish)) as updates:
            return await anext(updates)

    update = asyncio.run(asyncio.wait_for(follow(), 120))
    read = world.signed("GET", f"/iam/v1/reports/{REPORT}").body
    assert (update["name"], update["version"]) == (REPORT, read["version"])
    assert update["publishedAt"] == read["published_at"]


def test_the_preview_is_told_to_look_at_the_reports_when_it_connects_and_when_one_is_published(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: Any = publishes(updates_target(world, monkeypatch), lambda: None)
    heard = Queue[Any]()

    def listen() -> None:
        for each in islice(told, 2):
            heard.put(each)

    listening = threading.Thread(target=listen, daemon=True)
    listening.start()
    assert heard.get(timeout=60) == {}  # what is published already is to be looked at
    moved = json.dumps(event(world.outputs.database, REPORT))
    world.chain.client("lambda").invoke(FunctionName=world.outputs.updates_function, Payload=moved)
    # The look of each minute, which would come without an update, names no report.
    assert heard.get(timeout=40)["name"] == REPORT
    listening.join()
    told.close()


def test_a_follower_misses_no_state_while_the_server_is_killed_and_started_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = updates_target(world, monkeypatch)
    job, shown = written(world), Queue[dict[str, Any]]()

    def follow() -> None:
        for each in watching(target, job.job_id).changes():
            shown.put(dict(each))
            if each["state"] == "SUCCEEDED":
                return

    before = listeners(world)
    following = threading.Thread(target=follow, daemon=True)
    following.start()
    seen = [shown.get(timeout=60)["revision"]]
    until(lambda: listeners(world) > before, 60)
    running = written(world, job, state="RUNNING")
    seen.append(shown.get(timeout=60)["revision"])
    paths = world.cloud.context.paths
    os.kill(processes.alive(paths.run, server.NAME)["pid"], signal.SIGKILL)  # type: ignore[index]
    until(lambda: processes.alive(paths.run, server.NAME) is None, 60)
    over = written(world, running, state="SUCCEEDED", chunks=0, ended_at=running.created_at + 1)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    cloud.up(paths, world.cloud.settings, lambda _: None, environ=environ, project=SHOP)
    following.join(timeout=120)
    while not shown.empty():
        seen.append(shown.get()["revision"])
    assert seen == [job.revision, running.revision, over.revision]


def test_a_job_that_there_is_not_cannot_be_followed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    target = updates_target(world, monkeypatch)
    with pytest.raises(UnknownJobError, match="nothing"):
        next(iter(watching(target, "nothing").changes()))
