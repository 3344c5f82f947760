"""What stays of a row, and how an erasure's rounds end."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.core.basics.version import version_of
from shared.core.delivery.user_status import NOTHING, UserStatusRow, Value, is_newer, newest, pending_values
from shared.core.delivery.user_status import Acceptance as Accepted
from shared.core.erasure.erasure import (
    ErasureState,
    Progress,
    Stage,
    ended,
    going_on,
    has_moved_on,
    next_round,
    requested,
    resource,
)
from shared.core.erasure.redaction import redact_user_status
from shared.core.erasure.subject import Subject
from tests.builders import NOW, POLICY, USER, an_id

values = st.dictionaries(
    st.sampled_from(["status", "devicesCount", "userPrincipalName"]),
    st.tuples(st.integers(0, 20), st.integers(0, 3), st.text(max_size=3)),
)


@given(values, values)
def test_an_erased_row_orders_as_the_whole_one_did(before: Any, after: Any) -> None:
    """Whatever comes: the same is news, and the same stands."""

    def versioned(some: Any) -> dict[str, Value]:
        return {
            name: Value(text, version_of(f"2026-11-23T12:00:{second:02}Z", an_id(n=n)), an_id(n=n))
            for name, (second, n, text) in some.items()
        }

    row = UserStatusRow(POLICY, USER, versioned(before))
    blank = redact_user_status(row, NOW)

    assert {name: value.version for name, value in blank.confirmed.items()} == {
        name: value.version for name, value in row.confirmed.items()
    }
    assert all(value.value is None for value in blank.confirmed.values())
    for value in versioned(after).values():
        acceptance = Accepted(value.update_id, value.version, {"status": "error", "devicesCount": 1})
        assert pending_values(blank, (acceptance,)) == pending_values(row, (acceptance,))
        assert is_newer(blank, acceptance) == is_newer(row, acceptance)
    merged, whole = newest(blank.confirmed, versioned(after)), newest(row.confirmed, versioned(after))
    assert {name: value.version for name, value in merged.items()} == {
        name: value.version for name, value in whole.items()
    }
    assert redact_user_status(UserStatusRow(POLICY, USER, NOTHING), NOW).confirmed == NOTHING


def test_values_of_later_updates_stay() -> None:
    """They are new data; a replay's have its original's version, so they go."""
    later = Value("x", version_of(None, an_id(seconds=1)), an_id(seconds=1))
    replayed = Value("y", version_of(None, an_id()), an_id(seconds=2))
    row = redact_user_status(UserStatusRow(POLICY, USER, {"status": later, "userPrincipalName": replayed}), NOW)
    assert row.confirmed == {"status": later, "userPrincipalName": replace(replayed, value=None)}


def test_an_erasure_ends_with_a_round_that_found_nothing() -> None:
    """And began when the queue was past the request; one that left user statuses out makes room for them."""
    erasure = requested(an_id(), Subject(name="ada@contoso.com"), NOW)
    first = next_round(going_on(erasure, NOW, keys=("k",), changed=False, skipped=False), NOW)
    assert (first.progress, first.state) == (Progress(Stage.FIND, 2, keys=("k",), calm=True), ErasureState.RUNNING)
    changed = next_round(going_on(first, NOW, changed=True, skipped=True), NOW)
    assert changed.progress == Progress(Stage.FIND, 3, keys=("k",), calm=True)
    assert next_round(going_on(changed, NOW, skipped=True), NOW).progress == Progress(Stage.FIND, 4, calm=True)
    last = next_round(changed, NOW)
    assert last == ended(replace(changed, subject=None), ErasureState.SUCCEEDED, NOW)
    assert (last.subject, last.progress) == (None, Progress())


def test_the_queue_is_past_a_request_when_nothing_of_before_is_left_there() -> None:
    """Hidden messages are given a minute; clocks may differ."""
    erasure = requested(an_id(), Subject(name="ada@contoso.com"), NOW)
    second = timedelta(seconds=1)
    assert has_moved_on(erasure, 0, None, NOW)
    assert not has_moved_on(erasure, 3, None, NOW + 50 * second)
    assert has_moved_on(erasure, 3, None, NOW + 51 * second)
    assert not has_moved_on(erasure, 3, NOW + 9 * second, NOW + 600 * second)
    assert has_moved_on(erasure, 3, NOW + 11 * second, NOW + 20 * second)


def test_the_resource_never_says_whom_it_is_about() -> None:
    """Only how far it is."""
    shown = resource(requested(an_id(), Subject(name="ada@contoso.com"), NOW))
    assert shown == {
        "id": an_id(),
        "status": "notStarted",
        "createdDateTime": "2026-11-23T20:30:00.000Z",
        "lastActionDateTime": "2026-11-23T20:30:00.000Z",
        "updatesErased": 0,
        "userStatusesErased": 0,
    }
