"""Who answered, and what follows: each kind of reply by the answers that were seen of it."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.delivery.graph_reply import GraphReply, TransportFault, parse_reply
from shared.core.delivery.judgement import MEANINGS
from shared.core.delivery.reply_kind import Outage, ReplyKind
from shared.core.delivery.retry import (
    hold_seconds,
    is_answer,
    is_outage,
    is_outage_for_all,
    is_refusal,
    may_have_landed,
    may_still_land,
)
from tests.builders import NOW
from tests.core.delivery.answers import PAGE, answer, error, nested

NO_ROUTE = "No OData route exists that match template ~/singleton with http verb PATCH"
JUSTIFY = "Header 'x-msft-approval-justification' is required."
LICENCE = "Request not applicable to target tenant."
REFUSED = error("BadRequest")

ANSWERS: list[tuple[ReplyKind, list[GraphReply]]] = [
    (ReplyKind.NO_TOKEN, [GraphReply(None, identity_fault="away")]),
    (ReplyKind.TIMEOUT, [GraphReply(None, TransportFault.TIMEOUT)]),
    (ReplyKind.NEVER_SENT, [GraphReply(None, TransportFault.UNREACHABLE)]),
    (ReplyKind.DISCONNECTED, [GraphReply(None, TransportFault.DISCONNECTED)]),
    (ReplyKind.INTERIM, [answer(103), answer(101)]),
    (ReplyKind.SUCCESS, [answer(200, {"id": "x"}), answer(204), answer(200, b"null"), answer(299, b" "), answer(202)]),
    (ReplyKind.SUCCESS, [answer(200, {"error": None, "id": "x"}), answer(200, [])]),
    (ReplyKind.ERROR_IN_SUCCESS, [answer(200, REFUSED), answer(200, error("generalException"))]),
    (ReplyKind.UNREADABLE_SUCCESS, [answer(200, PAGE), answer(200, b'{"id"', complete=False), answer(200, b"NaN")]),
    (ReplyKind.ROUTE_MISSING, [answer(400, error("No method match route template", NO_ROUTE))]),
    (ReplyKind.ROUTE_MISSING, [answer(400, nested(levels, Message=NO_ROUTE)) for levels in (2, 3)]),
    (ReplyKind.APPROVAL_REQUIRED, [answer(400, error("BadRequest", JUSTIFY)), answer(400, nested(3, Message=JUSTIFY))]),
    (ReplyKind.APPROVAL_REQUIRED, [answer(403, error("ApprovalRequired")), answer(412, x_msft_approval_code="5d0f")]),
    (ReplyKind.LICENCE_MISSING, [answer(400, error("BadRequest", LICENCE)), answer(400, nested(2, Message=LICENCE))]),
    (ReplyKind.THROTTLED, [answer(429, error("TooManyRequests")), answer(429), answer(429, b'{"e', complete=False)]),
    (ReplyKind.REQUEST_TIMEOUT, [answer(408), answer(408, PAGE)]),
    (ReplyKind.BUSY, [answer(409, REFUSED), answer(423), answer(425)]),
    (ReplyKind.GATEWAY_FAULT, [answer(502), answer(504, PAGE)]),
    (ReplyKind.UNAVAILABLE, [answer(503), answer(503, REFUSED)]),
    (ReplyKind.SERVER_FAULT, [answer(500), answer(501), answer(507), answer(509, PAGE), answer(999)]),
    (ReplyKind.FOREIGN, [answer(302, Location="https://login.example"), answer(301, REFUSED), answer(304)]),
    (ReplyKind.FOREIGN, [answer(status, PAGE) for status in (400, 401, 403, 404, 407, 412, 470)]),
    (ReplyKind.FOREIGN, [answer(400), answer(404, b"Not Found"), answer(400, {"message": "no"}), answer(470, [])]),
    (ReplyKind.FOREIGN, [answer(404, PAGE[:40], complete=False), answer(400, {"error": None})]),
    (ReplyKind.UNAUTHORIZED, [answer(401, REFUSED), answer(401), answer(401, {})]),
    (ReplyKind.FORBIDDEN, [answer(403, error("Forbidden")), answer(403), answer(403, b'{"err', complete=False)]),
    (ReplyKind.BROKEN, [answer(400, b'{"err', complete=False), answer(404, b"", complete=False)]),
    (ReplyKind.PASSING, [answer(400, error(code)) for code in ("serviceNotAvailable", "generalException", "timeout")]),
    (ReplyKind.PASSING, [answer(404, error("activityLimitReached")), answer(400, nested(2, code="UnknownError"))]),
    (
        ReplyKind.REFUSED,
        [answer(s, REFUSED) for s in (400, 402, 404, 405, 406, 410, 411, 412, 413, 415, 418, 422, 451)],
    ),
    (ReplyKind.REFUSED, [answer(400, {"odata.error": {"code": "Request_BadRequest"}}), answer(400, {"error": "bad"})]),
]


@pytest.mark.parametrize(("kind", "reply"), [(kind, reply) for kind, replies in ANSWERS for reply in replies])
def test_an_answer_is_of_its_kind(kind: ReplyKind, reply: GraphReply) -> None:
    """Only a JSON error is a refusal of Graph's; everything else in its place comes from something before it."""
    assert reply.kind is kind


def test_every_kind_has_an_answer_and_a_source() -> None:
    """A source is a fact that the repository holds, or a public page."""
    facts = (Path(__file__).parents[3] / "docs" / "graph-facts.md").read_text(encoding="utf-8")
    anchors = {f"docs/graph-facts.md#{title.lower()}" for title in re.findall(r"^### (F\d+)", facts, re.MULTILINE)}
    assert {kind for kind, _ in ANSWERS} == set(MEANINGS) == set(ReplyKind)
    assert [
        m.source for m in MEANINGS.values() if m.source not in anchors and not m.source.startswith("https://")
    ] == []


CODES = {
    None: {ReplyKind.SUCCESS},
    "identityUnavailable": {ReplyKind.NO_TOKEN},
    "operationNotSupported": {ReplyKind.ROUTE_MISSING},
    "approvalRequired": {ReplyKind.APPROVAL_REQUIRED},
    "notAuthorized": {ReplyKind.LICENCE_MISSING, ReplyKind.UNAUTHORIZED, ReplyKind.FORBIDDEN},
    "throttled": {ReplyKind.THROTTLED},
    "graphRejected": {ReplyKind.REFUSED},
}


@pytest.mark.parametrize("kind", ReplyKind)
def test_a_kind_has_its_error_code(kind: ReplyKind) -> None:
    """What is none of the others is ``graphUnavailable``."""
    meaning = MEANINGS[kind]
    assert meaning.code == next((code for code, kinds in CODES.items() if kind in kinds), "graphUnavailable")
    assert meaning.refusal == (meaning.code in ("graphRejected", "operationNotSupported"))


def of(kind: ReplyKind) -> GraphReply:
    """Return a reply of that kind that asks to wait for three seconds."""
    return GraphReply(400, judged=kind, retry_after_seconds=3)


def test_what_may_still_land_is_what_says_nothing_about_the_write() -> None:
    """A timeout, a broken connection, a gateway that gave up; a success without words has landed, perhaps."""
    landing = {kind for kind in ReplyKind if may_still_land(of(kind))}
    assert landing == {
        ReplyKind.TIMEOUT,
        ReplyKind.DISCONNECTED,
        ReplyKind.INTERIM,
        ReplyKind.REQUEST_TIMEOUT,
        ReplyKind.GATEWAY_FAULT,
    }
    unknown = {kind for kind in ReplyKind if may_have_landed(of(kind))}
    assert unknown - landing == {ReplyKind.UNREADABLE_SUCCESS, ReplyKind.ERROR_IN_SUCCESS}


def test_what_is_an_outage() -> None:
    """At once where no other call fares better; never where Graph is at work."""
    assert {kind for kind in ReplyKind if is_outage_for_all(of(kind))} == {
        ReplyKind.APPROVAL_REQUIRED,
        ReplyKind.LICENCE_MISSING,
        ReplyKind.FOREIGN,
    }
    assert all(is_outage(of(kind)) for kind in ReplyKind if is_outage_for_all(of(kind)))
    assert not [kind for kind in ReplyKind if is_answer(of(kind)) and is_outage(of(kind))]
    assert [is_outage(GraphReply(status)) for status in (200, 400, 403, 429, 500)] == [False, False, True, False, True]
    assert MEANINGS[ReplyKind.NEVER_SENT].outage is Outage.COUNTED


def test_who_holds_all_instances() -> None:
    """429 and 503 with Retry-After."""
    assert {kind for kind in ReplyKind if hold_seconds(of(kind))} == {ReplyKind.THROTTLED, ReplyKind.UNAVAILABLE}
    assert hold_seconds(GraphReply(429)) is None
    assert hold_seconds(GraphReply(500, retry_after_seconds=3)) is None


def test_a_reply_of_which_only_the_status_is_known() -> None:
    """An error then counts as Graph's own."""
    assert [GraphReply(status).kind for status in (200, 302, 400, 403)] == [
        ReplyKind.SUCCESS,
        ReplyKind.FOREIGN,
        ReplyKind.REFUSED,
        ReplyKind.FORBIDDEN,
    ]


@given(st.integers(100, 999), st.binary(max_size=300), st.booleans())
def test_only_a_whole_json_error_of_a_4xx_is_a_refusal(status: int, body: bytes, whole: bool) -> None:
    """Whatever else is answered."""
    reply = parse_reply(status, {}, body, now=NOW, client_request_id="c", complete=whole)
    assert not is_refusal(reply) or (status // 100 == 4 and whole and b"error" in body)
