"""Outcomes that are to be verified, as each store finds and keeps them."""

from dataclasses import replace
from datetime import timedelta

from shared.core.delivery.outcome import Outcome, Transition, advance, queued
from shared.core.delivery.verification import Verification, VerificationState
from shared.service.ports.storage import OutcomeFilter, StoredOutcome
from shared.wiring.adapters import Ports
from tests.builders import NOW, an_envelope

DUE = NOW + timedelta(minutes=15)


def delivered(n: int, **members: object) -> Outcome:
    """Return the outcome of a delivered update, accepted that many seconds after ``NOW``."""
    return advance(queued(an_envelope(seconds=n), NOW), Transition.DELIVER, NOW, result={"a": 1}, **members)


def due(ports: Ports, **wanted: object) -> list[StoredOutcome]:
    """Return what is due, all pages."""
    found, continuation = [], None
    while True:
        page = ports.outcomes.scan(OutcomeFilter(**wanted), 2, continuation)  # type: ignore[arg-type]
        found += page.found
        continuation = page.continuation
        if continuation is None:
            return found


def test_only_what_is_due_is_found_whole(ports: Ports) -> None:
    """Not what is due later, nor what never will be; bounded by the acceptance time, too."""
    outcomes = [delivered(n, verify_at=DUE + timedelta(milliseconds=n)) for n in range(4)]
    for outcome in [*outcomes, delivered(10), queued(an_envelope(seconds=11), NOW)]:
        ports.outcomes.insert(outcome)
    assert due(ports, verify_before=DUE - timedelta(milliseconds=1)) == []
    found = due(ports, verify_before=DUE + timedelta(milliseconds=2))
    assert [stored.outcome for stored in found] == outcomes[2::-1]
    bounded = due(ports, verify_before=DUE + timedelta(hours=1), created_after=NOW + timedelta(seconds=2))
    assert [stored.outcome for stored in bounded] == outcomes[:1:-1]


def test_what_has_its_verdict_is_due_no_more(ports: Ports) -> None:
    """The verdict reads back, in lists too; an outcome that somebody changed meanwhile stays due."""
    first, second = delivered(1, verify_at=DUE), delivered(2, verify_at=DUE)
    for outcome in (first, second):
        ports.outcomes.insert(outcome)
    verdict = Verification(VerificationState.OVERWRITTEN, NOW)
    etags = {stored.outcome.id: stored.etag for stored in due(ports, verify_before=DUE)}
    changed = replace(second, replayed_by=first.id)
    ports.outcomes.replace(changed, etags[second.id])
    verified = [
        StoredOutcome(replace(outcome, verify_at=None, verification=verdict), etags[outcome.id])
        for outcome in (first, second)
    ]
    assert ports.outcomes.replace_all(verified) == {second.id}
    assert [stored.outcome for stored in due(ports, verify_before=DUE)] == [changed]
    stored = ports.outcomes.get(first.id)
    assert stored is not None
    assert stored.outcome == verified[0].outcome
    listed = ports.outcomes.list(OutcomeFilter(), 9).outcomes
    assert [outcome.verification for outcome in listed] == [None, verdict]
