"""Workers that die between any two calls: each delivery counts once, each refusal is kept, the account balances."""

from collections import Counter, defaultdict
from random import Random
from typing import Any

import pytest

from tests.producers.hooks.test_worker import order, paid
from tests.producers.hooks.world import KilledError, World, record, stripe


def traffic(random: Random, count: int) -> tuple[list[dict[str, Any]], set[str], Counter[str]]:
    """(messages, bodies of good deliveries, refusals by reason)"""
    messages, good, refused = [], set(), Counter[str]()
    for number in range(count):
        chance, body = random.random(), order(number)
        if chance < 0.1:
            messages.append(record("stripe", body, stripe(body, secret="forged"), message_id=f"m{number}"))
            refused["bad_signature"] += 1
        elif chance < 0.15:
            text = f'{{"id":"evt_{number}"'
            messages.append(record("stripe", text, stripe(text), message_id=f"m{number}"))
            refused["unreadable_body"] += 1
        else:
            good.add(f"evt_{number}")
            copies = 1 + (random.random() < 0.3)
            messages += [paid(number, message_id=f"m{number}-{copy}") for copy in range(copies)]
    random.shuffle(messages)
    return messages, good, refused


@pytest.mark.parametrize("seed", range(12))
def test_killed_anywhere_each_delivery_counts_once_and_each_refusal_is_kept(seed: int) -> None:
    random = Random(seed)
    queue, good, refused = traffic(random, 40)
    bodies = {each["body"] for each in queue}
    world, kills = World(), 0
    worker = world.worker()
    while queue:
        random.shuffle(queue)  # a standard queue has no order
        batch = queue[:10]
        if kills < 20:
            world.left = random.randrange(1, 30)
        if random.random() < 0.2:
            world.script = [random.choice(["refuse", "lost", "down"])]
        try:
            outcome = worker.handle(batch)
        except KilledError:
            kills, worker = kills + 1, world.worker()
            continue
        finally:
            world.left = None
        done = {each["messageId"] for each in batch} - set(outcome.retry)
        queue = [each for each in queue if each["messageId"] not in done]
    assert kills >= 5, "the seed kills nobody"
    facts = defaultdict(set)
    for event in world.events():
        facts[event["event_id"]].add((event["event_time"], str(event["payload"])))
    assert len(facts) == len(good)
    assert all(len(found) == 1 for found in facts.values()), "copies of an event differ"
    kept = {(message.message_id, reason) for message, reason in world.refused}
    assert Counter(reason for _, reason in kept) == refused
    assert {message.body for message, _ in world.refused} < bodies
    assert {name for (_, name), claim in world.claims.items() if claim.is_done} == good
    _check_places(world)


def _check_places(world: World) -> None:
    """Every producer's places are there from the first to the last, each once, and its audit says no more."""
    places: dict[tuple[str, int], list[int]] = defaultdict(list)
    for event in world.events():
        places[event["producer_id"], event["epoch"]].append(event["seq"])
    for found in places.values():
        assert sorted(found) == list(range(1, len(found) + 1))
    for event in world.sent():
        if event["event_type"] == "producer_audited":
            assert event["payload"]["last_seq"] <= max(places[event["producer_id"], event["epoch"]])
