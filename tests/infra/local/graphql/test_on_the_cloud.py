"""A template's API on the local cloud, asked by a client that nobody here wrote."""

import asyncio
import json
import urllib.request
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from gql import Client, GraphQLRequest, gql
from gql.transport.appsync_auth import AppSyncJWTAuthentication
from gql.transport.appsync_websockets import AppSyncWebsocketsTransport
from gql.transport.exceptions import TransportQueryError, TransportServerError
from gql.transport.requests import RequestsHTTPTransport

from infra.local.cloud import LocalCloud
from tests.infra.local.graphql.rig import CHANGE, LISTEN
from tests.infra.local.graphql.stack import Stack, deploy

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def stack(local_cloud: LocalCloud) -> Iterator[Stack]:
    made = deploy(local_cloud)
    yield made
    local_cloud.context.client("cloudformation").delete_stack(StackName=made.name)


def test_the_attributes_of_an_api_say_where_it_answers(stack: Stack) -> None:
    found, server = stack.outputs, stack.cloud.context.server_url
    assert found["Api"] == found["Arn"]
    assert found["Arn"].endswith(f":apis/{found['ApiId']}")
    assert found["GraphQLUrl"] == f"{server}/graphql/{found['ApiId']}"
    assert found["RealtimeUrl"] == f"ws{server.removeprefix('http')}/graphql/{found['ApiId']}/realtime"


def test_a_query_reaches_its_function_and_tells_what_it_raised(stack: Stack) -> None:
    client = _http(stack, stack.token("viewers"))
    found = client.execute(gql('{ job(jobId: "a") { jobId revision note } }'))
    asked = '{"asked":["job","jobId","revision","note"]}'
    assert found == {"job": {"jobId": "a", "revision": 7, "note": asked}}
    with pytest.raises(TransportQueryError, match="no such job") as caught:
        client.execute(gql('{ job(jobId: "bad") { jobId } }'))
    assert [error["errorType"] for error in caught.value.errors or ()] == ["Lambda:Unhandled"]


def test_a_subscriber_receives_a_jobs_states_in_the_order_of_their_revisions(stack: Stack) -> None:
    async def listen() -> list[int]:
        async with Client(transport=_socket(stack, stack.token("viewers"))) as session:
            heard = session.subscribe(GraphQLRequest(LISTEN, variable_values={"jobId": "j1"}))
            first = asyncio.ensure_future(anext(heard))
            while not first.done() and not await asyncio.to_thread(_listeners, stack):
                await asyncio.sleep(0.05)
            await asyncio.to_thread(_publish, stack, "j1", range(1, 6))
            revisions = [(await first)["jobChanged"]["revision"]]
            while len(revisions) < 5:
                revisions.append((await anext(heard))["jobChanged"]["revision"])
            await heard.aclose()
            return revisions

    assert asyncio.run(asyncio.wait_for(listen(), 60)) == [1, 2, 3, 4, 5]


def _listeners(stack: Stack) -> int:
    return int(stack.cloud.context.ask("/_graphql/counts")["subscriptions"])


def _publish(stack: Stack, job: str, revisions: Iterable[int]) -> None:
    """As a program that signs."""
    for revision in revisions:
        change = {"jobId": job, "revision": revision, "state": "RUNNING"}
        body = json.dumps({"query": CHANGE, "variables": {"input": change}}).encode()
        request = AWSRequest("POST", stack.outputs["GraphQLUrl"], data=body)
        keys = stack.cloud.context.keys
        held = Credentials(keys.access_key_id, keys.secret_access_key)
        SigV4Auth(held, "appsync", stack.cloud.context.region).add_auth(request)
        asked = urllib.request.Request(request.url, body, dict(request.headers))
        with urllib.request.urlopen(asked, timeout=30) as answer:
            assert "errors" not in json.load(answer)


def _http(stack: Stack, token: str) -> Client:
    transport = RequestsHTTPTransport(stack.outputs["GraphQLUrl"], headers={"Authorization": token})
    return Client(transport=transport)


def _socket(stack: Stack, token: str) -> AppSyncWebsocketsTransport:
    auth = AppSyncJWTAuthentication(stack.outputs["GraphQLDns"], token)
    return AppSyncWebsocketsTransport(stack.outputs["RealtimeUrl"], auth=auth)


@pytest.mark.parametrize("who", ["nobody", "another group"])
def test_who_may_not_listen_is_refused_in_appsyncs_words(stack: Stack, who: str) -> None:
    token = stack.token("others") if who == "another group" else "not.a.token"

    async def listen() -> Any:
        async with Client(transport=_socket(stack, token)) as session:
            return await anext(session.subscribe(gql(LISTEN)))

    refusal = TransportQueryError if who == "another group" else TransportServerError
    with pytest.raises(refusal, match="UnauthorizedException"):
        asyncio.run(asyncio.wait_for(listen(), 60))
    if who == "nobody":
        with pytest.raises(TransportQueryError, match="UnauthorizedException"):
            _http(stack, token).execute(gql("{ mine }"))
