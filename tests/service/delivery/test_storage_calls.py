"""Storage calls beyond the host's own are counted: they are what a delivery costs."""

from typing import Any

from tests.builders import POLICY
from tests.service.notices.receiving import EVERY_SOURCE
from tests.world import World

PORTS = ("queue", "notices", "outcomes", "user_statuses", "idempotency_keys")


class Counted:
    """A port whose calls are counted."""

    def __init__(self, port: Any, calls: list[str]) -> None:
        self._port, self._calls = port, calls

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            self._calls.append(name)
            return method(*args, **kwargs)

        return counted if callable(method) else method


def counting(**environ: str) -> tuple[World, list[str]]:
    """A world whose storage calls are listed."""
    from shared.settings import Settings
    from shared.wiring.services import Services

    settings = Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true", **environ})
    world = World(settings)
    calls: list[str] = []
    counted = {name: Counted(getattr(world, name), calls) for name in PORTS}
    world.relay = Services(settings, **(world.ports() | counted))
    return world, calls


def test_accepting_takes_at_most_four_calls_and_five_with_a_key() -> None:
    """Queue, registration, outcome; and the key."""
    world, calls = counting()
    world.accept()
    assert calls == ["put", "register", "insert"]
    calls.clear()
    world.accept(idempotencyKey="k")
    assert calls == ["reserve", "put", "register", "insert"]


def test_delivering_takes_at_most_six_calls() -> None:
    """Outcome, row, lease, outcome under the lease; row with the lease's end, outcome."""
    world, calls = counting()
    world.accept()
    calls.clear()
    world.run()
    assert calls == ["get", "read", "commit", "get", "commit", "replace"]


def test_a_foreign_message_takes_no_more() -> None:
    """Its outcome is made at the start, instead of read: should its turn be killed, the update is known."""
    import json

    from tests.builders import a_message

    world, calls = counting()
    world.queue.put(json.dumps(a_message()))
    world.run()
    assert calls == ["insert", "read", "commit", "get", "commit", "replace"]


def test_a_named_user_takes_two_more_to_deliver_and_one_less_to_accept() -> None:
    """Resolution is written down, then registered."""
    world, calls = counting()
    world.graph.users[POLICY] = [("found", "a@x.example")]
    world.accept(deviceComplianceUserStatusId=None, userPrincipalName="a@x.example")
    assert calls == ["put", "insert"]
    calls.clear()
    world.run()
    assert calls == ["get", "replace", "register", "read", "commit", "get", "commit", "replace"]


def test_a_duplicate_costs_one_read() -> None:
    """And no slot of the quota."""
    world, calls = counting()
    world.accept()
    text = world.queue.messages[0].text
    world.run()
    calls.clear()
    world.queue.put(text)
    stamps = world.rate_limit.pacing.stamps
    world.run()
    assert calls == ["get"]
    assert world.rate_limit.pacing.stamps == stamps


def test_verifying_costs_a_delivery_nothing_and_a_sweep_little() -> None:
    """The outcome says when it is due; a sweep finds all, reads each user status once and writes all together."""
    world, calls = counting(VERIFY_AFTER_SECONDS="60")
    for user in ("a", "b"):
        world.accept(deviceComplianceUserStatusId=user)
        calls.clear()
        world.run()
        assert calls == ["get", "read", "commit", "get", "commit", "replace"]
    calls.clear()
    world.clock.step(seconds=61)
    assert world.relay.verify() == 2
    assert calls == ["scan", "read", "read", "replace_all"]
    calls.clear()
    assert world.relay.verify() == 0
    assert calls == ["scan"]


def test_a_notice_takes_three_more() -> None:
    """Its message, and the outcome without its mark; the mark itself comes with the final outcome."""
    world, calls = counting(NOTICES=EVERY_SOURCE)
    world.accept()
    calls.clear()
    world.run()
    assert calls == ["get", "read", "commit", "get", "commit", "replace", "put", "get", "replace"]
