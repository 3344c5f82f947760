"""Whose an outcome is, what is left of it, and how an erasure's rounds end."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.storage_tables.outcome_row import to_row
from shared.core.basics.strict_json import InvalidMessage
from shared.core.basics.version import version_of
from shared.core.delivery.outcome import Attempt, Outcome, Tombstone, Transition, advance, queued, unreadable
from shared.core.delivery.user_status import NOTHING, UserStatusRow, Value, is_newer, newest, pending_values
from shared.core.delivery.user_status import Acceptance as Accepted
from shared.core.erasure.erasure import (
    ErasureState,
    Progress,
    Stage,
    classify,
    ended,
    going_on,
    has_moved_on,
    next_round,
    requested,
    resource,
)
from shared.core.erasure.name_matching import mentions, mentions_anywhere
from shared.core.erasure.redaction import ERASED_MESSAGE, redact_outcome, redact_user_status
from shared.core.erasure.subject import Subject, key_in, parse_subject
from shared.core.intake.envelope import read_queue_message
from shared.core.intake.update import user_status_key
from tests.builders import NOW, POLICY, USER, a_message, an_envelope, an_id

#: What directories allow in a principal name, and more; nothing that another text of an outcome holds.
parts = st.text(st.sampled_from("abzABZ019._-'!#^~éÉßñ漢"), min_size=1, max_size=12)
people = st.builds(lambda local, host: f"Q{local}q@W{host}w.example", parts, parts)
wrappings: st.SearchStrategy[Callable[[str], str]] = st.sampled_from(
    [
        str,
        lambda text: json.dumps(text)[1:-1],
        lambda text: quote(text, safe=""),
        lambda text: base64.b64encode(json.dumps({"u": text, "a": 1}).encode()).decode(),
        lambda text: base64.urlsafe_b64encode(text.encode("utf-16")).decode(),
        lambda text: f"User '{text}' was not found.",
        lambda text: f"mailto:{text}, <{text}>;",
    ]
)
dresses = wrappings | st.sampled_from(
    [str.upper, str.lower, lambda text: "".join(f"\\u{ord(one):04x}" for one in text)]
)


@given(people, dresses, wrappings)
def test_a_name_is_found_in_every_dress(name: str, dress: Callable[[str], str], over: Callable[[str], str]) -> None:
    """Case, JSON, URL, base64, UTF-16, and one over the other."""
    assert mentions_anywhere(name, dress(name))
    assert mentions_anywhere(name, f'{{"message": "{over(dress(name))}"}}')


@given(people, st.sampled_from(["x.{}", "x-{}", "x_{}", "x{}", "{}.au", "{}x", "{}é", "ß{}"]))
def test_a_neighbours_name_is_not_theirs(name: str, neighbour: str) -> None:
    """Erasing is for good."""
    assert not mentions(name, neighbour.format(name))


@given(st.text(max_size=200), people)
@settings(max_examples=300)
def test_no_text_is_too_odd_to_be_read(text: str, name: str) -> None:
    """Whatever a queue can hold: reading never raises, nor finds what is not there."""
    assert not mentions_anywhere(name, text)
    assert mentions_anywhere(name, f"{text} {name} {text}")


@pytest.mark.parametrize("run", ["A" * 17, "_" * 21, "/" * 30 + "==", "=" * 40, "%" * 40, "\\u" * 20, "\\ud800" * 9])
def test_garbage_that_looks_encoded_is_only_garbage(run: str) -> None:
    """Base64 of no length that base64 has, escapes of half a character."""
    assert not mentions_anywhere("ada@contoso.com", run)


def delivered(**changes: Any) -> Outcome:
    """A final outcome of a message that names nobody."""
    envelope = an_envelope(**({"userStatus": {"devicesCount": 1}} | changes))
    return advance(queued(envelope, NOW), Transition.DELIVER, NOW, result={"id": USER, "devicesCount": 1})


def failed(message: str, **inner: Any) -> Outcome:
    """One that Graph refused."""
    error = {"code": "graphRejected", "message": message, "innerError": {"statusCode": 400} | inner}
    return advance(queued(an_envelope(userStatus={"devicesCount": 1}), NOW), Transition.FAIL, NOW, error=error)


def raw(text: bytes) -> Outcome:
    """One that could not be read."""
    message = read_queue_message(text, message_id="m", inserted=NOW)
    return unreadable(message, NOW)  # type: ignore[arg-type]


ATTEMPT = Attempt(NOW, 1, 400, "BadRequest", "r-1", "c-1", None)
PLACES: dict[str, Callable[[str], Outcome]] = {
    "userStatus": lambda name: delivered(userStatus={"userPrincipalName": name}),
    "display name": lambda name: delivered(userStatus={"userDisplayName": name}),
    "top level": lambda name: delivered(deviceComplianceUserStatusId=None, userPrincipalName=name),
    "result": lambda name: replace(delivered(), result={"deep": [{"userPrincipalName": name}]}),
    "key": lambda name: delivered(idempotencyKey=f"{name}:1"),
    "error": lambda name: failed(f"No '{name}'."),
    "inner error": lambda name: failed("no", requestId=name),
    "errors": lambda name: replace(failed("no"), error={"code": "c", "message": "m", "errors": [{"detail": name}]}),
    "submitted by": lambda name: replace(delivered(), submitted_by=name),
    "raw": lambda name: raw(name.encode()),
    "raw base64": lambda name: raw(base64.b64encode(json.dumps({"x": name}).encode())),
    "raw utf-16": lambda name: raw(json.dumps({"x": name}, ensure_ascii=False).encode("utf-16")),
    "raw json": lambda name: raw(json.dumps(a_message(userStatus={"userPrincipalName": name, "x": 1})).encode()),
    "poisoned": lambda name: replace(failed("poisoned"), raw_message=json.dumps({"relay": 1, "u": name})),
    "attempts too": lambda name: replace(
        delivered(userStatus={"userPrincipalName": name}), attempts=(replace(ATTEMPT, code=name, request_id=name),)
    ),
}


@pytest.mark.parametrize("place", PLACES)
@given(name=people, case=st.sampled_from([str, str.upper, str.lower]))
@settings(max_examples=40)
def test_wherever_an_outcome_names_someone_it_is_found_and_the_name_goes(
    place: str, name: str, case: Callable[[str], str]
) -> None:
    """No member of its row holds the name any more; what became of the update is as it was."""
    outcome = PLACES[place](case(name))
    sifted = classify(Subject(name=name), (), [outcome])
    assert [one.id for one in sifted.ripe] == [outcome.id]

    blank = redact_outcome(outcome, Subject(name=name))

    row = json.dumps(to_row(blank), ensure_ascii=False, default=str)
    assert name.casefold() not in row.casefold()
    assert json.dumps(name)[1:-1].casefold() not in row.casefold()
    assert (blank.id, blank.state, blank.last_action) == (outcome.id, outcome.state, outcome.last_action)
    assert (blank.attempt_count, len(blank.attempts)) == (outcome.attempt_count, len(outcome.attempts))
    assert classify(Subject(name=name), (), [blank]).ripe == ()
    assert blank.envelope is None


@given(name=people, place=st.sampled_from(sorted(PLACES)))
def test_nobody_elses_outcome_is_sifted_out(name: str, place: str) -> None:
    """A neighbour's name in the same places."""
    outcome = PLACES[place](f"x.{name}")
    assert classify(Subject(name=name), (), [outcome]).ripe == ()
    assert classify(Subject(key="k" * 40), (), [outcome]).ripe == ()


def test_codes_and_ids_of_an_error_stay_and_its_words_go() -> None:
    """What outsiders wrote stays only in the form of a code."""
    outcome = replace(
        failed("Ada is ill", code="BadRequest", requestId="r-1", date="Ada Lovelace"), attempts=(ATTEMPT,)
    )
    blank = redact_outcome(outcome, Subject(key="k"))
    assert blank.error == {
        "code": "graphRejected",
        "message": ERASED_MESSAGE,
        "innerError": {"statusCode": 400, "code": "BadRequest", "requestId": "r-1", "date": None},
    }
    assert blank.attempts == (ATTEMPT,)


def test_what_is_not_final_is_not_ripe() -> None:
    """It is named, to be waited for."""
    outcome = queued(an_envelope(userStatus={"userPrincipalName": "ada@contoso.com"}), NOW)
    sifted = classify(Subject(name="ada@contoso.com"), (), [outcome])
    assert (sifted.ripe, sifted.unripe) == ((), (outcome.id,))
    assert sifted.keys == (user_status_key(POLICY, USER),)


def test_a_user_status_is_known_by_its_ids_readable_or_not() -> None:
    """In an envelope, an event, an erased outcome; in either case of a GUID."""
    key = user_status_key(POLICY, USER)
    message = a_message(userStatus={"status": 7})
    event = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": message}
    for text in (
        message,
        {"relay": 1, "update": message},
        event,
        message | {"deviceCompliancePolicyId": POLICY.upper()},
    ):
        assert key_in(raw(json.dumps(text).encode())) == key
    assert key_in(delivered()) == key
    assert key_in(redact_outcome(delivered(), Subject(key=key))) == key
    for text in (b"[]", b"{", b"1", json.dumps({"relay": 1}).encode(), b'{"deviceCompliancePolicyId": 3}'):
        assert key_in(raw(text)) is None
    assert redact_outcome(raw(b"{"), Subject(key=key)).erased == Tombstone()


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ([], [""]),
        ({}, [""]),
        ({"userPrincipalName": ""}, ["/userPrincipalName"]),
        ({"userPrincipalName": "a\u0000b"}, ["/userPrincipalName"]),
        ({"userPrincipalName": 7}, ["/userPrincipalName"]),
        ({"deviceCompliancePolicyId": POLICY}, ["/deviceComplianceUserStatusId"]),
        ({"deviceComplianceUserStatusId": USER}, ["/deviceCompliancePolicyId"]),
        (
            {"deviceCompliancePolicyId": "x", "deviceComplianceUserStatusId": ".."},
            ["/deviceCompliancePolicyId", "/deviceComplianceUserStatusId"],
        ),
        ({"userPrincipalName": "a@b", "deviceCompliancePolicyId": POLICY}, ["/userPrincipalName"]),
        ({"userPrincipalName": "a@b", "why": "art. 17"}, ["/why"]),
    ],
)
def test_a_request_that_names_nobody_is_refused(body: Any, pointers: list[str]) -> None:
    """All faults at once, each with its pointer."""
    refused = parse_subject(body)
    assert isinstance(refused, InvalidMessage)
    assert sorted({fault.pointer for fault in refused.faults}) == sorted(pointers)


def test_a_request_names_a_person_or_one_user_status() -> None:
    """A user status by its key alone: the ids themselves are not kept."""
    assert parse_subject({"userPrincipalName": "Ada@contoso.com"}) == Subject(name="Ada@contoso.com")
    ids = {"deviceCompliancePolicyId": POLICY.upper(), "deviceComplianceUserStatusId": USER}
    assert parse_subject(ids) == Subject(key=user_status_key(POLICY, USER))


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
    told = resource(requested(an_id(), Subject(name="ada@contoso.com"), NOW))
    assert told == {
        "id": an_id(),
        "status": "notStarted",
        "createdDateTime": "2026-11-23T20:30:00.000Z",
        "lastActionDateTime": "2026-11-23T20:30:00.000Z",
        "updatesErased": 0,
        "userStatusesErased": 0,
    }
