"""Outcomes in a table: point reads by id, lists newest first with real continuation, purging from the old end."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import batched, groupby
from typing import Any

from shared.adapters.storage_tables import continuation as leading
from shared.adapters.storage_tables.newest_first import between
from shared.adapters.storage_tables.open_hours import OpenHours
from shared.adapters.storage_tables.outcome_row import LISTED, bound, from_row, keys, to_row
from shared.adapters.storage_tables.rows import readable
from shared.adapters.storage_tables.table import CHUNK, Row, Table
from shared.core.basics.timestamp import format_milliseconds
from shared.core.delivery.outcome import Outcome, State
from shared.core.intake.update_schema import BULK, NORMAL
from shared.service.ports.storage import Conflict, OutcomeFilter, OutcomePage, Purged, ScanPage, StoredOutcome

_IN_ONE_GO = 100
_FINAL = tuple(state for state in State if state.final)
#: Rows without the column do not match.
_MARKED = "NoticeDue gt @nothing"


class OutcomeTable:
    """``OutcomeStore`` on a table."""

    def __init__(self, table: Table, hours: Table) -> None:
        self._table, self._hours = table, OpenHours(hours)

    def get(self, update_id: str) -> StoredOutcome | None:
        """Return the outcome; one point read."""
        found = self._table.get(*keys(update_id))
        return found and StoredOutcome(from_row(found[0]), found[1])

    def insert(self, outcome: Outcome) -> str | None:
        """Return the etag; None when there is one already. One call, and rarely one for an hour that is over."""
        self._hours.note((outcome,))
        return self._table.insert(to_row(outcome))

    def insert_all(self, outcomes: Sequence[Outcome]) -> frozenset[str]:
        """Insert a hundred of a partition in a call; where one is there already, its hundred goes one by one."""
        self._hours.note(outcomes)
        there: list[str] = []
        by_partition = sorted(outcomes, key=lambda outcome: keys(outcome.id))
        for _, group in groupby(by_partition, key=lambda outcome: keys(outcome.id)[0]):
            for batch in batched(group, _IN_ONE_GO, strict=False):
                if not self._table.insert_all([to_row(outcome) for outcome in batch]):
                    there += [outcome.id for outcome in batch if self._table.insert(to_row(outcome)) is None]
        return frozenset(there)

    def replace(self, outcome: Outcome, etag: str) -> None:
        """Replace the outcome that was read with this etag. Raise ``Conflict``."""
        self._table.replace(to_row(outcome), etag)

    def replace_all(self, replacements: Sequence[StoredOutcome]) -> frozenset[str]:
        """Replace a hundred of a partition in a call; where one has changed, its hundred goes one by one."""
        changed: list[str] = []
        by_partition = sorted(replacements, key=lambda stored: keys(stored.outcome.id))
        for _, group in groupby(by_partition, key=lambda stored: keys(stored.outcome.id)[0]):
            for batch in batched(group, _IN_ONE_GO, strict=False):
                if not self._table.replace_all([(to_row(stored.outcome), stored.etag) for stored in batch]):
                    changed += [stored.outcome.id for stored in batch if not self._replaced(stored)]
        return frozenset(changed)

    def note_moved(self, update_ids: Sequence[str], moment: datetime) -> None:
        """Note a hundred of a partition in a call; where one is missing, its hundred stays as it is."""
        by_partition = sorted(map(keys, update_ids))
        for partition, group in groupby(by_partition, key=lambda pair: pair[0]):
            for batch in batched(group, _IN_ONE_GO, strict=False):
                self._table.merge_all(partition, [row for _, row in batch], {"Moved": moment.isoformat()})

    def _replaced(self, stored: StoredOutcome) -> bool:
        try:
            self.replace(stored.outcome, stored.etag)
        except Conflict:
            return False
        return True

    def list(self, wanted: OutcomeFilter, top: int, continuation: str | None = None) -> OutcomePage:
        """Return a page of the table's own paging: it may hold fewer than ``top`` and still lead on."""
        if wanted.states == ():
            return OutcomePage((), None)
        text, parameters = _condition(wanted)
        rows, onward = self._table.page(text, parameters, top, leading.read(continuation), LISTED)
        return OutcomePage(tuple(readable(rows, self._listed)), leading.written(onward))

    def scan(self, wanted: OutcomeFilter, top: int, continuation: str | None = None) -> ScanPage[StoredOutcome]:
        """Return the same with all columns."""
        text, parameters = _condition(wanted)
        rows, onward = self._table.page(text, parameters, top, leading.read(continuation))
        return ScanPage(tuple(readable(rows, _stored)), leading.written(onward))

    def _listed(self, row: Row) -> Outcome:
        """Return a list row's outcome; a summary that needs more chunks than lists read costs one more call."""
        if len(row.get("Summary1", "")) < CHUNK:
            return from_row(row)
        whole = self._table.get(row["PartitionKey"], row["RowKey"])
        return replace(from_row(whole[0] if whole else row), attempts=(), result=None, raw_message=None)

    def open(self, since: datetime, before: datetime) -> Iterator[Outcome]:
        """Read the hours that are not known to be closed, oldest first, a query each; what is marked keeps one open."""
        for hour in self._hours.open(since, before):
            found = False
            for row in self._table.query(*_unfinished(hour, before), LISTED):
                found = True
                for outcome in readable((row,), self._listed):
                    if not outcome.state.final:
                        yield outcome
            if not found:
                self._hours.close(hour, before)

    def marked(self, since: datetime | None, before: datetime) -> Iterator[Outcome]:
        """Read the hours that ``open`` reads, a query each; the whole table where there is no ``since``."""
        if since is None:
            yield from readable(self._table.query(_MARKED, {"nothing": ""}, LISTED), self._listed)
            return
        for hour in self._hours.open(since, before):
            text, parameters = f"PartitionKey eq @hour and {_MARKED}", {"hour": hour, "nothing": ""}
            yield from readable(self._table.query(text, parameters, LISTED), self._listed)

    def purge(self, before: datetime, limit: int, continuation: str | None = None) -> Purged:
        """Delete a page of final outcomes, a partition's hundred in a call."""
        text, parameters = _condition(OutcomeFilter(states=_FINAL, created_before=before))
        select = ["PartitionKey", "RowKey"]
        rows, onward = self._table.page(text, parameters, limit, leading.read(continuation), select)
        for partition, names in _batches(rows):
            self._table.delete_all(partition, names)
        if onward is None:
            self._hours.forget(before)
        return Purged(len(rows), leading.written(onward))


def _stored(row: Row) -> StoredOutcome:
    return StoredOutcome(from_row(row), row.metadata["etag"])  # type: ignore[attr-defined]


def _unfinished(hour: str, before: datetime) -> tuple[str, Row]:
    """Return the query for what is not final, or final and marked for its notice."""
    # States that only a newer version knows are open, too.
    states = {f"State{number}": state.name for number, state in enumerate(_FINAL)}
    is_open = " and ".join(f"State ne @{name}" for name in states)
    parameters = states | {"hour": hour, "nothing": ""}
    terms = ["PartitionKey eq @hour", f"( {is_open} or {_MARKED} )"]
    last_hour, parameters["row"] = bound(before)
    if hour == last_hour:
        terms.append("RowKey gt @row")
    return " and ".join(terms), parameters


def _condition(wanted: OutcomeFilter) -> tuple[str, Row]:
    """Return an OData filter and its parameters: no value of a caller's is ever part of the text.

    The SDK finds a parameter only between spaces.
    """
    equal = {
        "PolicyId": wanted.device_compliance_policy_id and wanted.device_compliance_policy_id.lower(),
        "UserStatusId": wanted.device_compliance_user_status_id,
        "Source": wanted.source,
        "IdempotencyKey": wanted.idempotency_key,
        "ErrorCode": wanted.error_code,
    }
    terms = [f"{name} eq @{name}" for name, value in equal.items() if value is not None]
    parameters: dict[str, Any] = {name: value for name, value in equal.items() if value is not None}
    if wanted.priority is not None:
        # Rows of the version before, and of messages that cannot be read, have no priority: they are normal.
        other = BULK if wanted.priority == NORMAL else wanted.priority
        terms.append("Priority eq @Priority" if wanted.priority == other else "not (Priority eq @Priority )")
        parameters["Priority"] = other
    if wanted.states:
        names = {f"State{number}": state.name for number, state in enumerate(wanted.states)}
        terms.append("(" + " or ".join(f"State eq @{name}" for name in names) + " )")
        parameters |= names
    if wanted.verify_before is not None:
        terms.append("VerifyAt le @VerifyAt")
        parameters["VerifyAt"] = format_milliseconds(wanted.verify_before)
    spans, moments = between(wanted.created_after, wanted.created_before)
    return " and ".join([*terms, *spans]) or "PartitionKey ge ''", parameters | moments


def _batches(rows: list[Row]) -> Iterator[tuple[str, list[str]]]:
    for partition, group in groupby(rows, key=lambda row: str(row["PartitionKey"])):
        names = [str(row["RowKey"]) for row in group]
        for at in range(0, len(names), _IN_ONE_GO):
            yield partition, names[at : at + _IN_ONE_GO]
