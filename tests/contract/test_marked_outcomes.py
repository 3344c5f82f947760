"""What a store of outcomes promises of those whose notice is due, whoever keeps it."""

from dataclasses import replace
from datetime import timedelta

from shared.core.delivery.outcome import Transition, advance, queued
from shared.wiring.adapters import Ports
from tests.builders import NOW, an_envelope, an_id


def test_what_is_marked_is_found_and_keeps_its_hour_open(ports: Ports) -> None:
    """Until the mark is cleared; open ones are found beside it, and the mark reads back."""
    now = NOW + timedelta(hours=8)
    ended = advance(queued(an_envelope(), NOW), Transition.FAIL, NOW)
    ports.outcomes.insert(replace(ended, notice_due=NOW))
    ports.outcomes.insert(advance(queued(an_envelope(n=1), NOW), Transition.CANCEL, NOW))
    ports.outcomes.insert(queued(an_envelope(n=2), NOW))
    for _ in range(2):
        assert [outcome.id for outcome in ports.outcomes.open(NOW, now)] == [an_id(0, 2)]
        for since in (NOW, None):
            (found,) = ports.outcomes.marked(since, now)
            assert (found.id, found.notice_due) == (an_id(), NOW)
        stored = ports.outcomes.get(an_id(0, 2))
        assert stored is not None
        ports.outcomes.replace(replace(stored.outcome, attempt=2), stored.etag)

    for n in (0, 2):
        stored = ports.outcomes.get(an_id(0, n))
        assert stored is not None
        cleared = replace(stored.outcome, notice_due=None)
        ports.outcomes.replace(cleared if n == 0 else advance(cleared, Transition.CANCEL, NOW), stored.etag)
    assert not [*ports.outcomes.marked(NOW, now), *ports.outcomes.marked(None, now), *ports.outcomes.open(NOW, now)]


def test_a_marked_outcome_that_comes_late_is_found(ports: Ports) -> None:
    """It is final from the start, and its hour was closed before."""
    now = NOW + timedelta(hours=8)
    assert not list(ports.outcomes.open(NOW, now))
    late = now + timedelta(minutes=30)
    ports.outcomes.insert(replace(advance(queued(an_envelope(), late), Transition.FAIL, late), notice_due=late))
    assert [outcome.id for outcome in ports.outcomes.marked(NOW, late)] == [an_id()]
