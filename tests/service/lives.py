"""What a person leaves behind in the relay, in every way the relay knows, and all that storage holds of it."""

import base64
import json
from typing import Any

from shared.adapters.storage_tables.outcome_row import to_row
from shared.core.delivery.graph_reply import GraphReply
from shared.service.delivery.deliver import Delivery
from shared.service.ports.storage import OutcomeFilter
from tests.builders import NOW, POLICY, a_message
from tests.web.caller import URL, ask, route_of
from tests.world import World

NAME = "Ada.Lovelace@contoso.com"
HERS, HERS_TOO = "ada-1", "ada-2"
ERASURES = URL.replace("updates", "erasures")


def status(name: str | None, n: int = 0, **more: Any) -> dict[str, Any]:
    """A report; with a name or without."""
    given = {"devicesCount": n, "lastReportedDateTime": f"2026-11-23T12:{n:02}:00Z"} | more
    return given | ({"userPrincipalName": name} if name else {})


def known(world: World) -> set[str]:
    """The ids of all updates."""
    return {outcome.id for outcome in world.outcomes.list(OutcomeFilter(), 1000).outcomes}


def lived(world: World, name: str = NAME) -> list[str]:
    """Every kind of outcome about a person; the ids."""
    before = known(world)
    graph = world.graph
    # Delivered, without and with her name; Graph's object names her in both. One more was superseded.
    world.accept(deviceComplianceUserStatusId=HERS, userStatus=status(None, 1))
    world.run()
    newest = status(name.upper(), 3, userDisplayName="Ada")
    world.accept(deviceComplianceUserStatusId=HERS, userStatus=newest, source="hr", idempotencyKey=f"{name}:3")
    world.run()
    world.accept(deviceComplianceUserStatusId=HERS, userStatus=status(None, 2))
    world.run()
    # Refused, with an error that names her; canceled; another policy's; by principal name alone.
    graph.replies = [GraphReply(404, code="NotFound", message=f"No user '{name}'.", request_id=f"for {name}")]
    world.accept(deviceComplianceUserStatusId=HERS, userStatus=status(name, 4))
    world.run()
    world.relay.updates.cancel(world.accept(deviceComplianceUserStatusId=HERS_TOO, userStatus=status(name, 5)))
    world.run()
    world.accept(deviceComplianceUserStatusId=None, userPrincipalName=name, userStatus=status(None, 6))
    world.run()
    # Unreadable, in every dress; and given up as poison.
    broken = json.dumps(a_message(deviceComplianceUserStatusId=HERS, userStatus=status(name, 7) | {"extra": 1}))
    raw = (
        broken.encode(),
        base64.b64encode(broken.encode()),
        broken.encode("utf-16"),
        json.dumps({"userPrincipalName": name}).replace("@", "\\u0040").encode()[:-1],
        # Its ids tell whose it is, although nothing in it names her.
        json.dumps(a_message(deviceComplianceUserStatusId=HERS, userStatus={"userDisplayName": 7})).encode(),
    )
    for n, text in enumerate(raw):
        world.relay.deliver(Delivery(text, f"raw-{n}", NOW, 1))
    world.accept(deviceComplianceUserStatusId=HERS_TOO, userStatus=status(name, 8))
    message = world.queue.messages.pop()
    for n in range(4):
        world.relay.consume_poison(Delivery(message.text.encode(), f"poison-{n}", NOW, 1))
        message = world.queue.messages.pop() if world.queue.messages else message
    world.run()
    return sorted(known(world) - before)


def others_lived(world: World) -> list[str]:
    """Updates of people whose names are nearly hers; the ids."""
    near = ["x.ada.lovelace@contoso.com", "ada.lovelace@contoso.com.au", "lovelace@contoso.com"]
    ids = [
        world.accept(deviceComplianceUserStatusId=f"near-{n}", userStatus=status(name, n))
        for n, name in enumerate(near)
    ]
    world.run()
    return ids


def erase(world: World, **body: Any) -> dict[str, Any]:
    """POST an erasure; its resource."""
    response, resource = ask(
        world.relay.erasures.post_erasure, "POST", body or {"userPrincipalName": NAME}, url=ERASURES
    )
    assert response.status_code == 202, resource
    return dict(resource)


def erasure(world: World, erasure_id: str) -> dict[str, Any]:
    """GET it."""
    response, resource = ask(world.relay.erasures.get_erasure, route_params={"id": erasure_id}, url=ERASURES)
    assert response.status_code == 200, resource
    return dict(resource)


def finished(world: World, begun: dict[str, Any], most: int = 100) -> dict[str, Any]:
    """The erasure once it is final: the timer comes by every minute."""
    for _ in range(most):
        progress = erasure(world, begun["id"])
        if progress["status"] in ("succeeded", "failed"):
            return progress
        world.clock.step(minutes=1)
        world.relay.erase()
    raise AssertionError(progress)


def stored(world: World) -> str:
    """All that the fakes hold, as their rows would: the text that must not name her."""
    rows = [
        [to_row(outcome) for outcome, _ in world.outcomes.rows.values()],
        world.user_statuses.rows,
        world.user_statuses.accepted,
        world.erasures.rows,
        world.idempotency_keys.kept,
        world.counters.rows,
        world.rate_limit.pacing,
        [message.text for message in world.queue.messages],
    ]
    return json.dumps([repr(row) for row in rows], ensure_ascii=False)


def in_api(world: World, user: str = HERS) -> dict[str, Any]:
    """The user status as callers see it."""
    _, resource = ask(world.relay.user_statuses.get_user_status, route_params=route_of(POLICY, user))
    return dict(resource)
