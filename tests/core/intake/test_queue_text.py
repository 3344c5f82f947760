"""What senders do to a message on its way to the queue: read where it can be, else named in words for them."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.intake.envelope import Received, Unreadable, read_queue_message
from shared.core.intake.queue_text import mistake_in
from tests.builders import NOW, a_message

MESSAGE = a_message(userStatus={"status": "compliant", "userDisplayName": "Jörg Müller?>~"})
TEXT = json.dumps(MESSAGE, ensure_ascii=False)
BASE64 = base64.b64encode(TEXT.encode()).decode()
PEEKED = {"content": BASE64, "dequeueCount": 0, "id": "x", "insertionTime": "2026-11-23T20:30:00+00:00"}

READABLE = {
    "plain": TEXT,
    "base64": BASE64,
    "base64 in lines": "\r\n".join(BASE64[at : at + 76] for at in range(0, len(BASE64), 76)),
    "base64 without padding": BASE64.rstrip("="),
    "base64url": base64.urlsafe_b64encode(TEXT.encode()).decode(),
    "base64url without padding": base64.urlsafe_b64encode(TEXT.encode()).decode().rstrip("="),
}
MISTAKES = {
    "base64 twice": (base64.b64encode(BASE64.encode()).decode(), "base64 inside base64", TEXT),
    "UTF-16": (base64.b64encode(TEXT.encode("utf-16-le")).decode(), "UTF-16", TEXT),
    "UTF-16 with its mark": (base64.b64encode(TEXT.encode("utf-16")).decode(), "UTF-16", TEXT),
    "UTF-16, base64 twice": (
        base64.b64encode(base64.b64encode(TEXT.encode("utf-16-be"))).decode(),
        "UTF-16",
        TEXT,
    ),
    "bytes of Python": (str(TEXT.encode()), "b'...'", TEXT),
    "bytes of Python in base64": (str(BASE64.encode()), "b'...'", TEXT),
    "JSON twice": (json.dumps(TEXT), "serialized twice", TEXT),
    "JSON twice in base64": (base64.b64encode(json.dumps(TEXT).encode()).decode(), "serialized twice", TEXT),
    "base64 in quotes": (f'"{BASE64}"', "in quotes", TEXT),
    "a peeked message": (json.dumps([PEEKED]), "queue message as a tool prints it", TEXT),
    "a message with its metadata": (json.dumps(PEEKED), "queue message as a tool prints it", TEXT),
    "a message of a function": (
        json.dumps({"asString": TEXT, "dequeueCount": 1, "popReceipt": None}),
        "queue message as a tool prints it",
        TEXT,
    ),
    "an array": (f"[{TEXT}]", "an array", f"[{TEXT}]"),
    "a batch": (f'{{"updates": [{TEXT}]}}', "a batch", f'{{"updates": [{TEXT}]}}'),
    "no quotes": ("{deviceCompliancePolicyId: x}", "no quotes", "{deviceCompliancePolicyId: x}"),
}


def read(text: str) -> Received | Unreadable:
    """Return what the queue trigger makes of a text."""
    return read_queue_message(text.encode(), message_id="m", inserted=NOW)


@pytest.mark.parametrize("text", READABLE.values(), ids=READABLE.keys())
def test_a_message_is_read_in_every_usual_encoding(text: str) -> None:
    """Senders differ in what their library does."""
    received = read(text)
    assert isinstance(received, Received), received
    assert received.envelope.update.message == MESSAGE


@pytest.mark.parametrize(("text", "words", "raw"), MISTAKES.values(), ids=MISTAKES.keys())
def test_the_outcome_says_what_the_sender_did(text: str, words: str, raw: str) -> None:
    """One fault, and the text as far as it could be decoded."""
    unreadable = read(text)
    assert isinstance(unreadable, Unreadable)
    (fault,) = unreadable.faults
    assert fault.pointer == ""
    assert words in fault.detail
    assert (unreadable.raw_message, unreadable.raw_message_encoding) == (raw, None)


def test_an_invalid_message_in_base64_is_kept_as_its_text() -> None:
    """Its faults are the message's own."""
    unreadable = read(base64.b64encode(b'{"x": 1}').decode())
    assert isinstance(unreadable, Unreadable)
    assert unreadable.raw_message == '{"x": 1}'
    assert "/x" in {fault.pointer for fault in unreadable.faults}


def test_other_bytes_are_another_message() -> None:
    """Even where the host's metadata were the same: two senders' updates never share an outcome."""
    ids = {read(json.dumps(a_message(idempotencyKey=key))).envelope.id for key in ("a", "b")}  # type: ignore[union-attr]
    unreadable = {read(text).id for text in ("x", "y")}  # type: ignore[union-attr]
    assert len(ids | unreadable) == 4


@given(st.binary(max_size=80) | st.text(max_size=60).map(str.encode))
def test_no_bytes_make_the_search_for_a_mistake_raise(body: bytes) -> None:
    """Whatever they hold."""
    found: Any = mistake_in(body)
    assert found is None or found.detail
