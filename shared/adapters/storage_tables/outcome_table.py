"""Outcomes in a table: point reads by id, lists newest first with real continuation, purging from the old end."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import batched, groupby
from typing import Any

from shared.adapters.storage_tables import continuation as leading
from shared.adapters.storage_tables.outcome_row import LISTED, bound, from_row, keys, to_row
from shared.adapters.storage_tables.table import Row, Table
from shared.core.delivery.outcome import Outcome, State
from shared.service.ports.storage import Conflict, OutcomeFilter, OutcomePage, ScanPage, StoredOutcome

_IN_ONE_GO = 100


class OutcomeTable:
    """``OutcomeStore`` on a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, update_id: str) -> StoredOutcome | None:
        """One point read."""
        found = self._table.get(*keys(update_id))
        return found and StoredOutcome(from_row(found[0]), found[1])

    def insert(self, outcome: Outcome) -> bool:
        """False when there is one already."""
        return self._table.insert(to_row(outcome)) is not None

    def insert_all(self, outcomes: Sequence[Outcome]) -> frozenset[str]:
        """A call for each hundred of a partition; where one is there already, its hundred goes one by one."""
        there: list[str] = []
        by_partition = sorted(outcomes, key=lambda outcome: keys(outcome.id))
        for _, group in groupby(by_partition, key=lambda outcome: keys(outcome.id)[0]):
            for some in batched(group, _IN_ONE_GO, strict=False):
                if not self._table.insert_all([to_row(outcome) for outcome in some]):
                    there += [outcome.id for outcome in some if not self.insert(outcome)]
        return frozenset(there)

    def replace(self, outcome: Outcome, etag: str) -> None:
        """Raises ``Conflict``."""
        self._table.replace(to_row(outcome), etag)

    def replace_all(self, replacements: Sequence[StoredOutcome]) -> frozenset[str]:
        """A call for each hundred of a partition; where one has changed, its hundred goes one by one."""
        changed: list[str] = []
        by_partition = sorted(replacements, key=lambda stored: keys(stored.outcome.id))
        for _, group in groupby(by_partition, key=lambda stored: keys(stored.outcome.id)[0]):
            for some in batched(group, _IN_ONE_GO, strict=False):
                if not self._table.replace_all([(to_row(stored.outcome), stored.etag) for stored in some]):
                    changed += [stored.outcome.id for stored in some if not self._replaced(stored)]
        return frozenset(changed)

    def _replaced(self, stored: StoredOutcome) -> bool:
        try:
            self.replace(stored.outcome, stored.etag)
        except Conflict:
            return False
        return True

    def list(self, wanted: OutcomeFilter, top: int, continuation: str | None = None) -> OutcomePage:
        """A page of the table's own paging: it may hold fewer than ``top`` and still lead on."""
        if wanted.states == ():
            return OutcomePage((), None)
        text, parameters = _condition(wanted)
        rows, onward = self._table.page(text, parameters, top, leading.read(continuation), LISTED)
        return OutcomePage(tuple(from_row(row) for row in rows), leading.written(onward))

    def scan(self, wanted: OutcomeFilter, top: int, continuation: str | None = None) -> ScanPage[StoredOutcome]:
        """The same with all columns."""
        text, parameters = _condition(wanted)
        rows, onward = self._table.page(text, parameters, top, leading.read(continuation))
        stored = tuple(StoredOutcome(from_row(row), row.metadata["etag"]) for row in rows)  # type: ignore[attr-defined]
        return ScanPage(stored, leading.written(onward))

    def purge(self, before: datetime, limit: int) -> int:
        """Up to ``limit`` final outcomes, a partition's hundred at a time."""
        finals = tuple(state for state in State if state.final)
        text, parameters = _condition(OutcomeFilter(states=finals, created_before=before))
        rows = self._table.some(text, parameters, limit, ["PartitionKey", "RowKey"])
        for partition, names in _batches(rows):
            self._table.delete_all(partition, names)
        return len(rows)


def _condition(wanted: OutcomeFilter) -> tuple[str, Row]:
    """An OData filter with parameters: no value of a caller's is ever part of the text.

    The SDK finds a parameter only between spaces.
    """
    equal = {
        "PolicyId": wanted.device_compliance_policy_id and wanted.device_compliance_policy_id.lower(),
        "UserStatusId": wanted.device_compliance_user_status_id,
        "Source": wanted.source,
        "IdempotencyKey": wanted.idempotency_key,
    }
    terms = [f"{name} eq @{name}" for name, value in equal.items() if value is not None]
    parameters: dict[str, Any] = {name: value for name, value in equal.items() if value is not None}
    if wanted.states:
        names = {f"State{number}": state.name for number, state in enumerate(wanted.states)}
        terms.append("(" + " or ".join(f"State eq @{name}" for name in names) + " )")
        parameters |= names
    for moment, name, partitions, rows in (
        (wanted.created_after, "After", "lt", "le"),
        (wanted.created_before, "Before", "gt", "gt"),
    ):
        if moment is not None:
            terms.append(
                f"(PartitionKey {partitions} @{name}P or (PartitionKey eq @{name}P and RowKey {rows} @{name}R ))"
            )
            parameters[f"{name}P"], parameters[f"{name}R"] = bound(moment)
    return " and ".join(terms) or "PartitionKey ge ''", parameters


def _batches(rows: list[Row]) -> Iterator[tuple[str, list[str]]]:
    for partition, group in groupby(rows, key=lambda row: str(row["PartitionKey"])):
        names = [str(row["RowKey"]) for row in group]
        for at in range(0, len(names), _IN_ONE_GO):
            yield partition, names[at : at + _IN_ONE_GO]
