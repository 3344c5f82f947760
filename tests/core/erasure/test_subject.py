"""Whose an outcome is, and what is left of it."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.storage_tables.outcome_row import to_row
from shared.core.basics.strict_json import InvalidMessage
from shared.core.delivery.outcome import Attempt, Outcome, Tombstone, Transition, advance, queued, unreadable
from shared.core.erasure.erasure import (
    classify,
)
from shared.core.erasure.name_matching import folded
from shared.core.erasure.redaction import ERASED_MESSAGE, redact_outcome
from shared.core.erasure.subject import Subject, key_in, parse_subject
from shared.core.intake.envelope import read_queue_message
from shared.core.intake.update import user_status_key
from tests.builders import NOW, POLICY, USER, a_message, an_envelope
from tests.core.erasure.test_name_matching import CLOSE, people

ALLOWED = "abzABZ019'.-_!#^~+@/"


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
    assert [found.id for found in sifted.ripe] == [outcome.id]

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


@given(
    name=st.sampled_from(["brien@contoso.com", "00", "Q", "smith", "o'brien@contoso.com"]) | people,
    neighbour=st.sampled_from(CLOSE)
    | st.builds(lambda before, after: f"{before}{{}}{after}", *[st.text(ALLOWED, max_size=3)] * 2),
    place=st.sampled_from(sorted(PLACES)),
)
def test_no_neighbour_is_erased_with_a_person(name: str, neighbour: str, place: str) -> None:
    """Whatever Entra allows in a name makes another name of it, in members and in free text."""
    other = neighbour.format(name)
    outcome = PLACES[place](other)
    # In text, apostrophes on both sides are quotes, and a full stop ends the sentence.
    person = folded(other.rstrip(".")) in (folded(name), folded(f"'{name}'"))
    assert person or classify(Subject(name=name), (), [outcome]).ripe == ()


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


def test_a_short_name_is_compared_whole() -> None:
    """Erasing ``0`` leaves ``0/0`` and ``10`` alone, as principal names and as ids."""
    zero = Subject(name="0")
    for other in ("0/0", "10", "0 0", "0.0"):
        named = delivered(deviceComplianceUserStatusId=None, userPrincipalName=other)
        assert not zero.owns(named)
        assert not zero.owns_values({"id": other, "values": {"userPrincipalName": other}})
    assert zero.owns(delivered(userStatus={"userPrincipalName": "0"}))
