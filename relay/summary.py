"""How a submission went: one JSON document, and the same in words."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from relay.failure import FAILED, INTERRUPTED, WRONG_INPUT
from relay.ledger import STATUSES, Ledger, accepted
from relay.rendering import Screen, duration
from relay.submission import Quota, accepted_before

#: More rows than a person reads; ``--report`` has all.
MOST_SHOWN = 1000
_NOT_DELIVERED = ("failed", "canceled", "refused")


@dataclass
class Summary:
    """What is told of a submission; ``quota`` once it was asked, ``stopped`` when it did not come to its end."""

    file: str
    ledger: Ledger
    dry_run: bool = False
    waited: bool = False
    quota: Quota | None = None
    quota_fault: str | None = None
    sending: bool = False
    stopped: str | None = None
    interrupted: bool = False
    notes: list[str] = field(default_factory=list)

    def exit_status(self) -> int:
        """0 when all is well."""
        if self.interrupted:
            return INTERRUPTED
        states = self.ledger.states()
        if not self.sending and states["invalid"]:
            return WRONG_INPUT
        return FAILED if self.stopped or any(states[one] for one in ("invalid", *_NOT_DELIVERED)) else 0

    def document(self) -> dict[str, Any]:
        """For machines."""
        states = self.ledger.states()
        valid = states.total() - states["invalid"] - states["repeated"]
        document: dict[str, Any] = {
            "file": self.file,
            "dryRun": self.dry_run,
            "rows": states.total(),
            "valid": valid,
            "repeated": states["repeated"],
            "invalid": states["invalid"],
            "errors": list(_rows(self.ledger, "invalid")),
        }
        if self.quota is not None:
            quota = self.quota
            document["estimate"] = {
                "seconds": round(quota.seconds_for(valid)),
                "quota": f"{quota.writes:g}/{quota.seconds:g}",
                "queued": quota.queued,
                "quotaIsKnown": quota.known,
            }
        if self.sending:
            document |= self._sent(states)
        if self.stopped:
            document["stopped"] = self.stopped
        return document

    def _sent(self, states: Counter[str]) -> dict[str, Any]:
        return {
            "accepted": accepted(states),
            "acceptedBefore": accepted_before(self.ledger, self.quota.as_of if self.quota else None),
            "refused": states["refused"],
            "notSent": states["notSent"],
            "outcomes": {name: states[name] for name in STATUSES if states[name]},
            "details": self.ledger.details(),
            "failures": list(_rows(self.ledger, *_NOT_DELIVERED)),
        }

    def show(self, screen: Screen) -> None:
        """For a person, or the document for a machine."""
        document = self.document()
        screen.document(document)
        self.show_errors(screen)
        for text in (*self._left_out(document, "errors", "invalid"), *_checked(document)):
            screen.say(text)
        if not self.waited and (estimate := self.estimate()):
            screen.say(estimate)
        if self.sending:
            self._show_sent(screen, document)
        for text in self.notes:
            screen.say(text)

    def show_errors(self, screen: Screen) -> None:
        """Every fault of the invalid rows, for a person."""
        for one in _rows(self.ledger, "invalid"):
            for reason in one["reasons"]:
                screen.say(f"line {one['line']}: {reason}", "red")

    def _show_sent(self, screen: Screen, document: Mapping[str, Any]) -> None:
        for one in document["failures"]:
            reasons = "; ".join(one["reasons"]) or one["status"]
            screen.say(f"line {one['line']}: {one['status']} {one['code'] or ''} {one['id'] or ''}: {reasons}", "red")
        before = document["acceptedBefore"]
        sent = f"accepted {document['accepted']}" + (f", {before} of them by an earlier submission" if before else "")
        screen.say(f"{sent}; refused {document['refused']}; not sent {document['notSent']}")
        if before:
            screen.say("same content, same update; --run LABEL would send it anew")
        if self.waited:
            parts = [f"{n} {name}" for name, n in {**document["outcomes"]}.items()]
            details = ", ".join(f"{n} {name}" for name, n in document["details"].items())
            screen.say(f"outcomes: {', '.join(parts) or 'none'}" + (f" ({details})" if details else ""))

    def _left_out(self, document: Mapping[str, Any], rows: str, counted: str) -> Iterator[str]:
        if document[counted] > len(document[rows]):
            yield f"... and {document[counted] - len(document[rows])} more rows; --report FILE has all"

    def estimate(self) -> str | None:
        """How long all will take; None where it is no question."""
        if self.quota is None or self.stopped:
            return None
        quota, states = self.quota, self.ledger.states()
        seconds = quota.seconds_for(states.total() - states["invalid"] - states["repeated"])
        why = "" if quota.known else f" (the default: {self.quota_fault or 'the relay could not tell its own'})"
        return (
            f"ETA: all delivered in about {duration(seconds)}, at {quota.writes:g} writes in {quota.seconds:g} s{why}, "
            f"{quota.queued} waiting before them"
        )


def _checked(document: Mapping[str, Any]) -> Iterator[str]:
    counts = ", ".join(f"{document[name]} {name}" for name in ("valid", "invalid"))
    repeated = f", {document['repeated']} the same as an earlier row" if document["repeated"] else ""
    rows = f"{document['rows']} row{'s' if document['rows'] != 1 else ''}"
    yield f"{document['file']}: {rows}, {counts}{repeated}"


def _rows(ledger: Ledger, *states: str) -> Iterator[dict[str, Any]]:
    for one in ledger.entries(*states, most=MOST_SHOWN):
        yield {"line": one.line, "status": one.status, "id": one.id, "code": one.code, "reasons": one.reasons}
