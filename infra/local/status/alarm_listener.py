"""Who hears the alarms of a local cloud: the live page. It subscribes as any HTTP endpoint does."""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from infra.local.access.server_gate import ALARMS, alarms_path
from infra.local.parts.context import LocalContext
from infra.local.parts.service import ResourceHandler, Target

logger = logging.getLogger(__name__)

_SECONDS_TO_CONFIRM = 10.0


class AlarmListener:
    """Confirms its subscription, and puts each alarm into the list of what has happened."""

    def __init__(self, context: LocalContext) -> None:
        self._context = context
        self.targets: Mapping[str, Target] = {}
        self.resources: Mapping[str, ResourceHandler] = {}
        self.routes: Sequence[BaseRoute] = [Route(f"{ALARMS}{{token}}", self._hear, methods=["POST"])]

    async def start(self) -> None:
        """Nothing: the deployer subscribes, once there is a topic."""

    async def stop(self) -> None:
        """Nothing."""

    async def _hear(self, request: Request) -> Response:
        try:
            message = json.loads(await request.body())
            kind, topic = str(message["Type"]), str(message["TopicArn"])
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"message": "This is not a message of SNS."}, status_code=400)
        if kind == "SubscriptionConfirmation":
            await run_in_threadpool(self._confirm, topic, str(message.get("Token", "")))
        elif kind == "Notification":
            self._note(str(message.get("Message", "")))
        return JSONResponse({})

    def _confirm(self, topic: str, token: str) -> None:
        self._context.client("sns").confirm_subscription(TopicArn=topic, Token=token)

    def _note(self, text: str) -> None:
        try:
            told = json.loads(text)
            facts = {
                name: str(told[key]) for name, key in (("alarm", "AlarmName"), ("state", "NewStateValue"))
            }
        except (ValueError, KeyError, TypeError):
            facts = {"alarm": text[:200], "state": ""}
        self._context.activity.add("fault", "alarm", at=self._context.clock(), **facts)


def subscribe(context: LocalContext, topic: str) -> None:
    """Have the local server hear of the alarms of this topic (its arn); waits until it does."""
    sns, deadline = context.client("sns"), time.monotonic() + _SECONDS_TO_CONFIRM
    endpoint = context.server_url + alarms_path(context.keys)
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint)
    while not _is_confirmed(sns, topic, endpoint):
        if time.monotonic() > deadline:
            logger.warning("the local server did not confirm that it hears the alarms of %s", topic)
            return
        time.sleep(0.05)


def _is_confirmed(sns: Any, topic: str, endpoint: str) -> bool:
    found = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    return any(each["Endpoint"] == endpoint and each["SubscriptionArn"].startswith("arn:") for each in found)
