"""What an answer says: the most specific code and words, redacted, and how long to wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.delivery.error_body import MESSAGE_LENGTH
from shared.core.delivery.graph_reply import parse_reply
from tests.builders import NOW
from tests.core.delivery.answers import PAGE, answer, nested


@pytest.mark.parametrize("levels", [2, 3])
def test_intunes_nested_message_is_unpacked(levels: int) -> None:
    """The words for people, without internal addresses, and the activity id."""
    reply = answer(400, nested(levels))
    assert reply.message is not None
    assert reply.message.startswith("Broken")
    assert "manage.microsoft.com" not in reply.message
    assert reply.activity_id == "11111111-2222-3333-4444-555555555555"
    assert reply.request_id == "r"


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error": "The service is closed."}, None, "The service is closed."),
        ({"error": "invalid_scope", "error_description": "No identity."}, "invalid_scope", "No identity."),
        (
            {"odata.error": {"code": "Request_X", "message": {"lang": "en", "value": "Not here."}}},
            "Request_X",
            "Not here.",
        ),
        ({"error": {"code": "A", "message": {"value": "Words."}}}, "A", "Words."),
        ({"error": {"code": "A", "message": "Outer", "innerError": {"code": "B", "message": "Inner"}}}, "B", "Inner"),
        ({"Message": "An error has occurred."}, None, "An error has occurred."),
    ],
)
def test_the_words_are_found_in_every_known_form(body: object, code: str | None, message: str) -> None:
    """Graph's, OData's older one, OAuth's, and an error as text."""
    reply = answer(400, body)
    assert (reply.code, reply.message) == (code, message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (PAGE, "Sign in to your account & go on"),
        (b"<html>no title, but words</html>", None),
        (b"Access denied by Azure Firewall.\r\nMore lines\r\n", "Access denied by Azure Firewall."),
        (b"see https://intern.example/x?id=7 now", "see [url] now"),
        (b"Bearer abc.def refused", "[secret] refused"),
        (b"eyJhbGciOi.eyJhdWQi.c2ln is old", "[secret] is old"),
        (b"\x1f\x8b\x00binary", None),
        (b"\xff\xfe", None),
        (b'{"error": {"mess', None),
        (b"", None),
    ],
)
def test_of_a_page_the_title_and_of_text_the_first_line(body: bytes, message: str | None) -> None:
    """Without addresses and secrets; what is no text has no words."""
    assert answer(400, body, complete=not body.startswith(b"{")).message == message


def test_words_have_a_bound() -> None:
    """However long the answer is."""
    long = answer(400, {"error": {"code": "c" * 9_000, "message": "m" * 9_000}})
    assert len(long.message or "") == MESSAGE_LENGTH
    assert len(long.code or "") == 200
    assert len(answer(400, b"x" * 9_000).message or "") == 200


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("10", 10),
        ("2.128", 2.128),
        ("0", 0),
        ("-5", 0),
        ("Mon, 23 Nov 2026 20:31:00 GMT", 60),
        ("99999999", 86_400),
        ("soon", None),
        ("nan", None),
        ("", None),
        ("1e400", 86_400),
    ],
)
def test_retry_after_is_read_in_every_form(header: str, seconds: float | None) -> None:
    """Integer, decimal, HTTP date; garbage is none; a body that broke takes nothing from it."""
    assert answer(429, Retry_After=header).retry_after_seconds == seconds
    assert answer(429, b"\x00", complete=False, Retry_After=header).retry_after_seconds == seconds


@pytest.mark.parametrize(("value", "seconds"), [(7, 7), ("7", 7), ("00:01:30", 90), (None, None), (True, None)])
def test_retry_after_inside_intunes_message_counts(value: object, seconds: float | None) -> None:
    """Where there is no header."""
    assert answer(503, nested(2, RetryAfter=value)).retry_after_seconds == seconds
    assert answer(503, nested(2, RetryAfter=value), Retry_After="3").retry_after_seconds == 3


@given(st.integers(100, 599), st.binary(max_size=300), st.dictionaries(st.text(max_size=12), st.text(max_size=30)))
def test_no_answer_makes_reading_raise(status: int, body: bytes, headers: dict[str, str]) -> None:
    """Whatever Graph, or what answers in its place, says."""
    assert parse_reply(status, headers, body, now=NOW, client_request_id="c").meaning


@given(
    st.recursive(
        st.none() | st.text(max_size=9) | st.floats(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(st.sampled_from(["error", "message", "innerError", "code", "RetryAfter", "Message"]), x)
        ),
    )
)
def test_no_error_object_makes_reading_raise(document: object) -> None:
    """However its known members are nested."""
    assert answer(400, document).status_code == 400
