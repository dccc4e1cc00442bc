"""The local AppSync alone: the server's own application on a port of its own, and callers of every kind."""

import base64
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import jwt
import uvicorn
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography.hazmat.primitives.asymmetric import rsa
from websockets.sync.client import ClientConnection, connect

from infra.local import processes
from infra.local.graphql import GraphQLService, sockets
from infra.local.graphql.limits import Limits
from infra.local.parts.cfn import ResourceStore
from infra.local.parts.context import LocalContext
from infra.local.paths import LocalPaths
from infra.local.server import application

POOL, CLIENT = "us-east-1_people", "client-of-people"
SCHEMA = """
type Query { job(jobId: ID!): JobChange  mine: String  forPrograms: String @aws_iam }
type Mutation { changeJob(input: JobChangeInput!): JobChange @aws_iam }
type Subscription {
  jobChanged(jobId: ID): JobChange
    @aws_subscribe(mutations: ["changeJob"]) @aws_cognito_user_pools(cognito_groups: ["viewers"])
}
type JobChange @aws_iam @aws_cognito_user_pools {
  jobId: ID!  revision: Int!  state: String!  done: Int  note: AWSJSON  at: AWSDateTime
}
input JobChangeInput { jobId: ID!  revision: Int!  state: String!  done: Int  note: AWSJSON  at: AWSDateTime }
schema { query: Query  mutation: Mutation  subscription: Subscription }
"""
API = {
    "Name": "live",
    "AuthenticationType": "AMAZON_COGNITO_USER_POOLS",
    "UserPoolConfig": {
        "UserPoolId": POOL, "AwsRegion": "us-east-1", "DefaultAction": "ALLOW", "AppIdClientRegex": CLIENT,
    },
    "AdditionalAuthenticationProviders": [{"AuthenticationType": "AWS_IAM"}],
}  # fmt: skip
REQUEST = '{\n  "version": "2018-05-29",\n  "payload": $util.toJson($context.arguments.input)\n}'
RESPONSE = "$util.toJson($context.result)"
PASSES_ON = {"Kind": "UNIT", "RequestMappingTemplate": REQUEST, "ResponseMappingTemplate": RESPONSE}
CHANGE = """mutation Change($input: JobChangeInput!) {
  changeJob(input: $input) { jobId revision state done note at }
}"""
LISTEN = "subscription Changed($jobId: ID) { jobChanged(jobId: $jobId) { jobId revision state } }"


@dataclass
class Rig:
    """A running server with one API, and what its callers need."""

    service: GraphQLService
    context: LocalContext
    port: int
    pool_key: rsa.RSAPrivateKey
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @cached_property
    def credentials(self) -> Credentials:
        return Credentials(self.context.keys.access_key_id, self.context.keys.secret_access_key)

    def token(self, *groups: str, key: rsa.RSAPrivateKey | None = None, **changed: Any) -> str:
        """An access token of the pool."""
        claims = {
            "sub": "b6f2", "iss": f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}",
            "client_id": CLIENT, "token_use": "access", "username": "mia", "exp": int(time.time()) + 3600,
            "cognito:groups": list(groups),
        } | changed  # fmt: skip
        return jwt.encode(claims, key or self.pool_key, "RS256", {"kid": "of-the-pool"})

    def ask(self, body: bytes, path: str = "/graphql", **headers: str) -> tuple[int, Any]:
        """(status, body) of a POST."""
        connection = HTTPConnection(self.host, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("POST", path, body, {"content-type": "application/json", **named})
            found = connection.getresponse()
            text = found.read()
            return found.status, json.loads(text) if text else None
        finally:
            connection.close()

    def person(self, query: str, token: str, **variables: Any) -> tuple[int, Any]:
        """What a person is answered."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        return self.ask(body, Authorization=token)

    def program(self, query: str, service: str = "appsync", **variables: Any) -> tuple[int, Any]:
        """What a program is answered that signs."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = AWSRequest("POST", f"http://{self.host}/graphql", data=body)
        SigV4Auth(self.credentials, service, "us-east-1").add_auth(request)
        return self.ask(body, **dict(request.headers.items()))

    def change(self, job: str, revision: int, state: str = "RUNNING", **others: Any) -> Any:
        """Publish a change; the answer."""
        change = {"jobId": job, "revision": revision, "state": state, **others}
        status, body = self.program(CHANGE, input=change)
        assert status == 200
        return body

    def opened(self, token: str | None = None, **options: Any) -> ClientConnection:
        """A socket whose handshake is accepted; nothing is sent yet."""
        header = {"host": self.host, "Authorization": token or self.token("viewers")}
        encoded = base64.b64encode(json.dumps(header).encode()).decode()
        url = f"ws://{self.host}/graphql/realtime?header={encoded}&payload=e30="
        return connect(url, subprotocols=["graphql-ws"], proxy=None, **options)  # type: ignore[list-item]

    def start(self, number: str, query: str = LISTEN, token: str | None = None, **variables: Any) -> str:
        """The message that asks for a subscription."""
        authorization = {"host": self.host, "Authorization": token or self.token("viewers")}
        payload = {
            "data": json.dumps({"query": query, "variables": variables}),
            "extensions": {"authorization": authorization},
        }
        return json.dumps({"id": number, "type": "start", "payload": payload})

    def counts(self, **wanted: int) -> None:
        """Wait until the counts are these."""
        deadline = time.monotonic() + 30
        while any((found := self.service.counts.as_dict())[name] != count for name, count in wanted.items()):
            assert time.monotonic() < deadline, f"{found} did not become {wanted}"
            time.sleep(0.02)


def told(socket: ClientConnection) -> Any:
    """The next message that a socket is sent."""
    return json.loads(socket.recv(timeout=30))


def began(socket: ClientConnection) -> ClientConnection:
    """The socket after `connection_init` and its acknowledgement."""
    socket.send('{"type":"connection_init"}')
    assert told(socket) == {"type": "connection_ack", "payload": {"connectionTimeoutMs": 300_000}}
    return socket


def resources(service: GraphQLService, schema: str = SCHEMA) -> dict[str, str]:
    """Make the API as CloudFormation does; its attributes."""
    handlers = service.resources
    _, made = handlers["AWS::AppSync::GraphQLApi"].create("Api", API)
    of = {"ApiId": made["ApiId"]}
    handlers["AWS::AppSync::GraphQLSchema"].create("Schema", {**of, "Definition": schema})
    handlers["AWS::AppSync::DataSource"].create("None", {**of, "Name": "none", "Type": "NONE"})
    resolver = {**of, "TypeName": "Mutation", "FieldName": "changeJob", "DataSourceName": "none"}
    handlers["AWS::AppSync::Resolver"].create("Change", {**resolver, **PASSES_ON})
    return made


@contextlib.contextmanager
def served(folder: Path, limits: Limits | None = None) -> Iterator[Rig]:
    """A rig, while its server runs in a thread."""
    (port,) = processes.free_ports(1)
    paths = LocalPaths(folder)
    paths.make()
    # Nobody listens there: what needs the emulator is tested with one.
    context = LocalContext(paths, endpoint_url="http://127.0.0.1:9", server_url=f"http://127.0.0.1:{port}")
    pool_key = rsa.generate_private_key(65537, 2048)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(pool_key.public_key()))
    keys = {"keys": [{**public, "kid": "of-the-pool", "alg": "RS256", "use": "sig"}]}
    service = GraphQLService(context, limits, keys_of=lambda _: keys)
    app = application([service], ResourceStore(paths.database("resources")), context, service.foreign)
    options = sockets.options(service.limits)
    server = uvicorn.Server(
        uvicorn.Config(
            app, host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=1, **options
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start within a minute"
        time.sleep(0.02)
    try:
        yield Rig(service, context, port, pool_key, resources(service))
    finally:
        server.should_exit = True
        thread.join(10)
