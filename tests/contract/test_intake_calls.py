"""What a batch costs before it is accepted, counted on the wire."""

import pytest

from emulator.stack import Azurite
from emulator.wire_tap import redirected, wire_tap
from shared.service.intake.accept import Accepted
from shared.settings import Settings
from shared.wiring.services import Services
from tests.builders import an_update

MAX_CALLS = 80


@pytest.mark.azurite
def test_a_thousand_items_with_fresh_keys_for_as_many_users_cost_80_calls(storage: Azurite) -> None:
    """At most; each has its outcome when they are accepted."""
    with wire_tap(storage.ports) as (tapped, calls):
        environ = {
            "UPDATES_STORAGE": redirected(storage.connection_string, tapped),
            "UPDATES_QUEUE": "intake-calls",
            "UPDATES_TABLE_PREFIX": "intakecalls",
        }
        relay = Services(Settings.from_environ(environ))
        relay.accept.all([an_update(priority="bulk", idempotencyKey="first"), an_update(priority="bulk")])
        before = calls.app()
        updates = [
            an_update(priority="bulk", deviceComplianceUserStatusId=f"user-{n}", idempotencyKey=f"key-{n}")
            for n in range(1000)
        ]
        verdicts = relay.accept.all(updates)
        assert calls.app() - before <= MAX_CALLS
        ids = [verdict.outcome.id for verdict in verdicts if isinstance(verdict, Accepted)]
        assert len(set(ids)) == 1000
        for update_id in (ids[0], ids[500], ids[-1]):
            assert relay.ports.outcomes.get(update_id) is not None
