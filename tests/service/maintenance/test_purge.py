"""Retention: what is old goes, at a cost that grows with what there is, and no store waits for another."""

from datetime import datetime

from shared.core.audit import Action
from shared.core.basics.update_id import accepted_at
from shared.core.delivery.outcome import State, Transition, advance, queued
from shared.service.ports.storage import KeyReservation, Purged
from shared.wiring.services import Services
from tests.builders import NOW, an_envelope, an_id
from tests.fakes.idempotency import MemoryKeys
from tests.world import World


def test_retention_purges_what_is_old_and_final(world: World) -> None:
    """Keys too; user statuses stay, and still keep old values out."""
    old = world.accept(idempotencyKey="k")
    world.run()
    world.clock.step(days=31)
    young = world.accept(deviceComplianceUserStatusId="other")

    assert world.relay.purge() == 2
    assert world.relay.purge() == 0

    assert world.outcomes.get(old) is None
    assert world.outcome(young)
    assert world.user_statuses.rows
    late = world.accept(userStatus={"status": "error", "lastReportedDateTime": "2010-01-01T00:00:00Z"})
    world.run()
    assert world.outcome(late).state is State.SUPERSEDED


def test_a_repeat_that_comes_while_retention_runs_is_a_new_update(world: World) -> None:
    """Never the old one once more: its key goes before its outcome does."""
    old, purge, repeats = world.accept(idempotencyKey="k"), world.outcomes.purge, []
    world.run()
    world.clock.step(days=31)

    def repeat_first(before: datetime, limit: int, continuation: str | None = None) -> Purged:
        repeats.append(world.accept(idempotencyKey="k"))
        return purge(before, limit, continuation)

    world.outcomes.purge = repeat_first  # type: ignore[method-assign]
    world.relay.purge()
    assert repeats[0] != old
    assert world.outcome(repeats[0]).created > NOW


def test_purging_more_than_a_page_goes_on(world: World) -> None:
    """In as many pages as it takes."""
    for n in range(2_203):
        world.outcomes.insert(advance(queued(an_envelope(n=n), NOW), Transition.CANCEL, NOW))
    world.clock.step(days=31)
    assert world.relay.purge() == 2_203


class SlowKeys(MemoryKeys):
    """A store of keys that takes a minute for a page, and counts what it looks at."""

    size = 100

    def __init__(self, world: World) -> None:
        super().__init__()
        self.clock, self.looked_at = world.clock, 0

    def purge(self, before: datetime, limit: int, continuation: str | None = None) -> Purged:
        self.clock.step(minutes=1)
        rest = sorted(scope for scope in self.kept if continuation is None or scope > continuation)
        self.looked_at += len(rest[: self.size])
        for scope in rest[: self.size]:
            if accepted_at(self.kept[scope].update_id) < before:
                del self.kept[scope]
        return Purged(self.size, rest[self.size - 1] if len(rest) > self.size else None)


def with_slow_keys(world: World) -> SlowKeys:
    """Let the world keep a thousand keys in a slow store, and as many outcomes."""
    keys = SlowKeys(world)
    world.relay = Services(world.relay.settings, **world.ports() | {"idempotency_keys": keys})
    for n in range(1000):
        keys.reserve(f"{n:04}", KeyReservation(an_id(n=n), "f"))
        world.outcomes.insert(advance(queued(an_envelope(n=n), NOW), Transition.CANCEL, NOW))
    return keys


def test_keys_that_take_hours_to_purge_are_read_once_and_starve_no_outcome(world: World) -> None:
    """A run continues where the last one ended; outcomes wait a day for the keys at most."""
    keys = with_slow_keys(world)
    world.clock.step(days=31, hours=-2)

    for _ in range(3):
        world.clock.step(hours=1)
        world.relay.purge()

    assert 0 < len(keys.kept) < 1000
    assert not world.outcomes.rows
    while keys.kept:
        world.relay.purge()
    assert keys.looked_at == 1000


def test_an_outcome_outlasts_its_key(world: World) -> None:
    """While keys of its age are still to be purged: their repeats must not put it on the queue again."""
    keys = with_slow_keys(world)
    world.clock.step(days=30, hours=1)

    world.relay.purge()

    assert keys.kept
    assert len(world.outcomes.rows) == 1000


def test_audit_records_are_kept_longer_than_outcomes(world: World) -> None:
    """Their own retention counts: a year by default."""
    for _ in range(2):
        world.relay.audit.of(Action.ERASE, None, lambda: "done", by=None)
        world.clock.step(days=364)
    world.relay.purge()
    assert len(world.audit.rows) == 1
