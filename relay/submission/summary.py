"""The summary of a submission: one JSON document, and the same in words."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from relay.errors import FAILED, INTERRUPTED, INVALID_INPUT
from relay.output.screen import Screen
from relay.output.text import duration
from relay.submission.quota import WriteQuota
from relay.submission.submission_log import STATUSES, SubmissionLog, count_accepted
from shared.core.basics.update_id import accepted_at

#: More rows than a person reads; ``--report`` has all.
_MAX_ROWS_SHOWN = 1000
_NOT_DELIVERED = ("failed", "canceled", "refused")


@dataclass
class Summary:
    """What is known of a submission; ``quota`` once it was read, ``stopped`` is why it did not complete."""

    file: str
    log: SubmissionLog
    dry_run: bool = False
    waited: bool = False
    quota: WriteQuota | None = None
    quota_fault: str | None = None
    sending: bool = False
    stopped: str | None = None
    interrupted: bool = False
    notes: list[str] = field(default_factory=list)

    def exit_status(self) -> int:
        """Return 0 when all is well."""
        if self.interrupted:
            return INTERRUPTED
        states = self.log.states()
        if not self.sending and states["invalid"]:
            return INVALID_INPUT
        return FAILED if self.stopped or any(states[state] for state in ("invalid", *_NOT_DELIVERED)) else 0

    def document(self) -> dict[str, Any]:
        """Return the JSON document."""
        states = self.log.states()
        document: dict[str, Any] = {
            "file": self.file,
            "dryRun": self.dry_run,
            "rows": states.total(),
            "valid": _count_valid(states),
            "repeated": states["repeated"],
            "invalid": states["invalid"],
            "errors": list(_rows(self.log, "invalid")),
        }
        if self.quota is not None:
            document["estimate"] = {
                "seconds": round(self.quota.seconds_for(document["valid"])),
                "quota": f"{self.quota.writes:g}/{self.quota.seconds:g}",
                "queued": self.quota.queued,
                "quotaIsKnown": self.quota.known,
            }
        if self.sending:
            document |= self._sent(states)
        if self.stopped:
            document["stopped"] = self.stopped
        return document

    def _sent(self, states: Counter[str]) -> dict[str, Any]:
        return {
            "accepted": count_accepted(states),
            "acceptedBefore": _count_accepted_before(self.log, self.quota.as_of if self.quota else None),
            "refused": states["refused"],
            "notSent": states["notSent"],
            "outcomes": {name: states[name] for name in STATUSES if states[name]},
            "details": self.log.details(),
            "failures": list(_rows(self.log, *_NOT_DELIVERED)),
        }

    def estimate(self) -> str | None:
        """Return how long all rows will take; None when nothing will be sent."""
        if self.quota is None or self.stopped:
            return None
        quota = self.quota
        seconds = quota.seconds_for(_count_valid(self.log.states()))
        why = "" if quota.known else f" (the default: {self.quota_fault or 'the relay did not answer with its own'})"
        return (
            f"ETA: all delivered in about {duration(seconds)}, at {quota.writes:g} writes in {quota.seconds:g} s{why}, "
            f"{quota.queued} waiting before them"
        )

    def show(self, screen: Screen) -> None:
        """Print the summary in words, or the document."""
        document = self.document()
        screen.document(document)
        self.show_errors(screen)
        left_out = document["invalid"] - len(document["errors"])
        if left_out:
            screen.say(f"... and {left_out} more rows; --report FILE has all")
        screen.say(_check_line(document))
        if not self.waited and (estimate := self.estimate()):
            screen.say(estimate)
        if self.sending:
            self._show_sent(screen, document)
        for text in self.notes:
            screen.say(text)

    def show_errors(self, screen: Screen) -> None:
        """Print every fault of the invalid rows."""
        for row in _rows(self.log, "invalid"):
            for reason in row["reasons"]:
                screen.say(f"line {row['line']}: {reason}", "red")

    def _show_sent(self, screen: Screen, document: Mapping[str, Any]) -> None:
        for row in document["failures"]:
            reasons = "; ".join(row["reasons"]) or row["status"]
            screen.say(f"line {row['line']}: {row['status']} {row['code'] or ''} {row['id'] or ''}: {reasons}", "red")
        before = document["acceptedBefore"]
        sent = f"accepted {document['accepted']}" + (f", {before} of them by an earlier submission" if before else "")
        screen.say(f"{sent}; refused {document['refused']}; not sent {document['notSent']}")
        if before:
            screen.say("the same content is the same update; --run LABEL sends it as a new one")
        if self.waited:
            outcomes = ", ".join(f"{count} {name}" for name, count in document["outcomes"].items())
            details = ", ".join(f"{count} {name}" for name, count in document["details"].items())
            screen.say(f"outcomes: {outcomes or 'none'}" + (f" ({details})" if details else ""))


def _check_line(document: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{document[name]} {name}" for name in ("valid", "invalid"))
    repeated = f", {document['repeated']} the same as an earlier row" if document["repeated"] else ""
    rows = f"{document['rows']} row{'s' if document['rows'] != 1 else ''}"
    return f"{document['file']}: {rows}, {counts}{repeated}"


def _count_valid(states: Counter[str]) -> int:
    return states.total() - states["invalid"] - states["repeated"]


def _count_accepted_before(log: SubmissionLog, moment: datetime | None) -> int:
    """Return how many rows an earlier submission sent; an id holds when its update was accepted."""
    if moment is None:
        return 0
    update_ids = (row.id for row in log.entries() if row.id and row.same_as is None)
    return sum(accepted_at(update_id) < moment for update_id in update_ids)


def _rows(log: SubmissionLog, *states: str) -> Iterator[dict[str, Any]]:
    for row in log.entries(*states, max_rows=_MAX_ROWS_SHOWN):
        yield {"line": row.line, "status": row.status, "id": row.id, "code": row.code, "reasons": row.reasons}
