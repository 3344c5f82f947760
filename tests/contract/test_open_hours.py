"""What it costs to find the open outcomes: it grows with what is open, not with what is kept."""

from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.storage_tables.outcome_table import OutcomeTable
from shared.adapters.storage_tables.table import Row, Table
from shared.core.delivery.outcome import Transition, advance, queued
from shared.wiring.adapters import Ports
from tests.builders import NOW, an_envelope, an_id
from tests.contract.rows import Rows

pytestmark = pytest.mark.azurite

HOURS = 48


class CountedTable(Table):
    """A table that keeps the number of rows of each page that was read."""

    def __init__(self, like: Table) -> None:
        super().__init__(like._client)
        self.pages: list[int] = []

    def page(self, *args: Any, **kwargs: Any) -> tuple[list[Row], Any]:
        rows, onward = super().page(*args, **kwargs)
        self.pages.append(len(rows))
        return rows, onward


def test_hours_without_an_open_outcome_are_read_once(azurite_ports: Ports) -> None:
    """Two days of 480 final outcomes, one open: a later look reads its hour, the last ones, and what is closed."""
    stores, now = Rows(azurite_ports), NOW + timedelta(hours=HOURS)
    table, hours = CountedTable(stores.table("outcomes")), CountedTable(stores.hours)
    outcomes = OutcomeTable(table, hours)
    for hour in range(HOURS):
        final = [
            advance(queued(an_envelope(seconds=hour * 3600, n=n), NOW + timedelta(hours=hour)), Transition.CANCEL, NOW)
            for n in range(10)
        ]
        outcomes.insert_all(final)
    outcomes.insert(queued(an_envelope(seconds=7 * 3600, n=99), NOW + timedelta(hours=7)))

    for _ in range(2):
        assert [outcome.id for outcome in outcomes.open(NOW, now)] == [an_id(7 * 3600, 99)]

    first, second = table.pages[: HOURS + 1], table.pages[HOURS + 1 :]
    assert first == [0] * 7 + [1] + [0] * (HOURS - 7)
    assert second == [1, 0]
    assert hours.pages == [0, HOURS - 1]


def test_what_is_known_of_hours_goes_with_their_outcomes(azurite_ports: Ports) -> None:
    """Retention leaves nothing behind."""
    outcomes = azurite_ports.outcomes
    outcomes.insert(queued(an_envelope(n=1), NOW + timedelta(hours=3)))
    list(outcomes.open(NOW - timedelta(hours=9), NOW + timedelta(hours=3)))

    outcomes.purge(NOW + timedelta(days=31), 100)

    table = outcomes._hours._table  # type: ignore[attr-defined]
    assert list(table.query("PartitionKey ge ''", {})) == []
