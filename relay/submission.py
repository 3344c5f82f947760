"""Submitting a file: check all of its rows, send them in batches, follow their outcomes; a ledger keeps what is known.

Nothing is sent before every row was read. A batch that may or may not have arrived is sent again: each row has an
idempotency key, so that it is one update however often it is sent, by this command or by the next.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from relay.client import Refused, Relay
from relay.failure import Failure
from relay.ledger import Ledger
from relay.patience import Patience
from relay.rows import BadRow, Row, RowFault
from shared.core.basics.update_id import accepted_at, is_update_id

#: A batch's bounds.
MOST_IN_BATCH = 1000
_LARGEST_BATCH = 1024 * 1024
_BAD_REQUEST = 400
_DEFAULT_QUOTA = (100.0, 20.0)


class Progress(Protocol):
    """What a person sees of a long step."""

    def step(self, name: str, done: int, total: int | None) -> None:
        """So much of this step is done."""
        ...


@dataclass(frozen=True)
class Quota:
    """How fast the relay writes, and what stands before us; ``known`` is False where it could not be asked."""

    writes: float = _DEFAULT_QUOTA[0]
    seconds: float = _DEFAULT_QUOTA[1]
    queued: int = 0
    as_of: datetime | None = None
    known: bool = False

    def seconds_for(self, updates: int) -> float:
        """How long they take at most; updates of one user status may share a write."""
        return (updates + self.queued) * self.seconds / self.writes


def quota(relay: Relay) -> Quota:
    """The relay's; its default where its storage cannot tell. Raises ``Failure`` where no relay answers."""
    try:
        stats = relay.get("/api/stats").body
    except Refused as refused:
        if refused.status in (401, 403) or refused.status < _BAD_REQUEST:
            raise
        return Quota()
    try:
        paced, queued = stats["quota"], stats["queue"]["length"] or 0
        as_of = datetime.fromisoformat(stats["asOfDateTime"]).astimezone(UTC)
        return Quota(float(paced["writes"]), float(paced["seconds"]), int(queued), as_of, known=True)
    except (KeyError, TypeError, ValueError):
        return Quota()


def check(rows: Iterable[Row | BadRow], ledger: Ledger, progress: Progress) -> None:
    """Read all rows into the ledger. Raises ``UnreadableFile``."""
    number = 0
    for number, row in enumerate(rows, 1):
        _take(row, ledger)
        if number % MOST_IN_BATCH == 0:
            progress.step("checked", number, None)
    progress.step("checked", number, number)


def _take(row: Row | BadRow, ledger: Ledger) -> None:
    if isinstance(row, BadRow):
        ledger.add_invalid(row)
        return
    first = ledger.add(row)
    if first is not None and not first.alike:
        fault = RowFault("idempotencyKey", f"is that of line {first.line}, whose content is another")
        ledger.add_invalid(BadRow(row.line, (fault,)))


@dataclass(frozen=True)
class Sending:
    """Sends what the ledger holds."""

    relay: Relay
    ledger: Ledger
    patience: Patience
    progress: Progress
    most: int

    def __call__(self) -> None:
        """All of it; raises ``Failure`` when the relay cannot be had for too long."""
        total, done = self.ledger.states()["notSent"], 0
        self.progress.step("sent", done, total)
        while batch := self.ledger.batch(self.most, _LARGEST_BATCH):
            left = self._send(batch)
            done += len(batch) - left
            self.progress.step("sent", done, total)
            if left == len(batch):
                self.patience.pause(Failure("the relay cannot reach its storage"))
            else:
                self.patience.reset()

    def _send(self, batch: list[tuple[int, str]]) -> int:
        """How many of the batch must be sent again."""
        lines = [line for line, _ in batch]
        body = f'{{"updates":[{",".join(message for _, message in batch)}]}}'.encode()
        try:
            verdicts: Any = self.relay.post("/api/updates/batch", body, again=True).body.get("value")
        except Refused as refused:
            if refused.status != _BAD_REQUEST:
                raise
            return self._none_is_valid(lines, refused)
        if not _answers(verdicts, len(lines)):
            raise Failure("the answer to a batch is not the relay's", f"does {self.relay.url} lead to a relay?")
        return self._verdicts(lines, verdicts)

    def _verdicts(self, lines: list[int], verdicts: list[dict[str, Any]]) -> int:
        told = list(zip(lines, verdicts, strict=True))
        self.ledger.accepted([(line, one["id"], one["status"]) for line, one in told if "id" in one])
        errors = [(line, one["error"]) for line, one in told if "id" not in one]
        again = [line for line, error in errors if error.get("code") == "storageUnavailable"]
        for line, error in errors:
            if line not in again:
                self.ledger.refused(line, error)
        return len(again)

    def _none_is_valid(self, lines: list[int], refused: Refused) -> int:
        """One problem for the whole batch; its pointers lead to the items."""
        faults: dict[int, list[dict[str, str]]] = {}
        for fault in refused.errors:
            _, _, rest = str(fault.get("pointer")).partition("/updates/")
            index, slash, inner = rest.partition("/")
            if index.isascii() and index.isdigit() and int(index[:6]) < len(lines):
                pointed = {"pointer": slash + inner, "detail": str(fault.get("detail"))}
                faults.setdefault(int(index), []).append(pointed)
        if len(faults) < len(lines):
            raise refused
        for at, errors in faults.items():
            self.ledger.refused(lines[at], {"code": _code(errors), "message": "", "errors": errors})
        return 0


def _code(errors: list[dict[str, str]]) -> str:
    keys = any(error["pointer"] == "/idempotencyKey" for error in errors)
    return "idempotencyKeyConflict" if keys else "invalidMessage"


def _answers(verdicts: object, count: int) -> bool:
    return (
        isinstance(verdicts, list)
        and len(verdicts) == count
        and all(
            isinstance(one, dict)
            and one.get("index") == index
            and ((is_update_id(str(one.get("id"))) and "status" in one) or isinstance(one.get("error"), dict))
            for index, one in enumerate(verdicts)
        )
    )


def accepted_before(ledger: Ledger, moment: datetime | None) -> int:
    """How many rows an earlier submission had brought; an id carries when its update was accepted."""
    if moment is None:
        return 0
    mine = (entry.id for entry in ledger.entries() if entry.id and entry.same_as is None)
    return sum(accepted_at(update_id) < moment for update_id in mine)
