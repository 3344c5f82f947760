"""Who answered a Graph call, and what follows from it: one row per kind of reply, each with its source.

``judge`` is the only place that reads a status code. Delivery, the list of user statuses, readiness and the doctor all
ask the row of the kind that it returns.
"""

from collections.abc import Callable, Mapping

from shared.core.delivery.reply_kind import BodyForm, Evidence, Meaning, Outage, ReplyKind, TransportFault


def judge(evidence: Evidence) -> ReplyKind:
    """Return the kind of a reply."""
    return next(kind for kind, meaning in MEANINGS.items() if meaning.when(evidence))


def assumed(status: int | None, transport: TransportFault | None, *, no_token: bool) -> ReplyKind:
    """Return the kind of a reply of which no more is known than this: an error comes with Graph's error object."""
    refused = status is not None and status >= 400  # noqa: PLR2004 - the first status of an error
    body = BodyForm.ERROR if refused else BodyForm.EMPTY
    return judge(Evidence(status, body, transport=transport, no_token=no_token))


def _status(*statuses: int) -> Callable[[Evidence], bool]:
    return lambda evidence: evidence.status in statuses


def _class(digit: int, *bodies: BodyForm) -> Callable[[Evidence], bool]:
    return lambda evidence: evidence.status_class() == digit and (not bodies or evidence.body in bodies)


def _transport(fault: TransportFault) -> Callable[[Evidence], bool]:
    return lambda evidence: evidence.transport is fault


def _route_missing(evidence: Evidence) -> bool:
    return evidence.status == 400 and any(words in evidence.words for words in _NO_ROUTE)  # noqa: PLR2004


def _approval_required(evidence: Evidence) -> bool:
    match evidence.status:
        case 400:
            return "x-msft-approval-justification" in evidence.words
        case 403:
            return "approvalrequired" in evidence.codes
        case 412:
            return "x-msft-approval-code" in evidence.headers
    return False


def _licence_missing(evidence: Evidence) -> bool:
    return evidence.status == 400 and "request not applicable to target tenant" in evidence.words  # noqa: PLR2004


def _foreign(evidence: Evidence) -> bool:
    """Graph refuses with a JSON ``error``; its 401 and 403 were also seen without a body."""
    match evidence.status_class():
        case 3:
            return True
        case 4:
            bare = evidence.status in (401, 403) and evidence.body is not BodyForm.TEXT
            return not bare and evidence.body not in (BodyForm.ERROR, BodyForm.BROKEN)
    return False


_NO_ROUTE = ("no method match route template", "no odata route exists that match template")
_PASSING_CODES = frozenset(
    {"servicenotavailable", "generalexception", "timeout", "activitylimitreached", "unknownerror"}
)
_FACTS = "docs/graph-facts.md"
_STATUSES = "https://learn.microsoft.com/graph/errors#http-status-codes"

#: Tried from top to bottom; the first row whose ``when`` is true is the reply's kind.
MEANINGS: Mapping[ReplyKind, Meaning] = {
    ReplyKind.NO_TOKEN: Meaning(
        when=lambda evidence: evidence.no_token,
        source=f"{_FACTS}#f26",
        code="identityUnavailable",
        text="No token could be obtained",
        outage=Outage.COUNTED,
    ),
    ReplyKind.TIMEOUT: Meaning(
        when=_transport(TransportFault.TIMEOUT),
        source=f"{_FACTS}#f11",
        text="Graph did not answer in time",
        outage=Outage.COUNTED,
        may_still_land=True,
    ),
    ReplyKind.NEVER_SENT: Meaning(
        when=_transport(TransportFault.UNREACHABLE),
        source=f"{_FACTS}#f93",
        text="Graph could not be reached",
        outage=Outage.COUNTED,
    ),
    ReplyKind.DISCONNECTED: Meaning(
        when=lambda evidence: evidence.status is None,
        source="https://www.rfc-editor.org/rfc/rfc9112#section-9.6",
        text="The connection to Graph broke",
        outage=Outage.COUNTED,
        may_still_land=True,
    ),
    ReplyKind.INTERIM: Meaning(
        when=_class(1),
        source="https://www.rfc-editor.org/rfc/rfc9110#section-15.2",
        text="Graph answered {status} and nothing after it",
        outage=Outage.COUNTED,
        may_still_land=True,
    ),
    ReplyKind.SUCCESS: Meaning(
        when=_class(2, BodyForm.EMPTY, BodyForm.JSON),
        source=f"{_FACTS}#f19",
        code=None,
    ),
    ReplyKind.ERROR_IN_SUCCESS: Meaning(
        when=_class(2, BodyForm.ERROR),
        source=f"{_FACTS}#f10",
        text="Graph answered {status} with an error",
        may_have_landed=True,
    ),
    ReplyKind.UNREADABLE_SUCCESS: Meaning(
        when=_class(2),
        source=f"{_FACTS}#f19",
        text="Graph answered {status} with a body that is of no use",
        may_have_landed=True,
    ),
    ReplyKind.ROUTE_MISSING: Meaning(
        when=_route_missing,
        source=f"{_FACTS}#f1",
        code="operationNotSupported",
        refusal=True,
    ),
    ReplyKind.APPROVAL_REQUIRED: Meaning(
        when=_approval_required,
        source=f"{_FACTS}#f67",
        code="approvalRequired",
        outage=Outage.AT_ONCE,
    ),
    ReplyKind.LICENCE_MISSING: Meaning(
        when=_licence_missing,
        source=f"{_FACTS}#f91",
        code="notAuthorized",
        outage=Outage.AT_ONCE,
    ),
    ReplyKind.THROTTLED: Meaning(
        when=_status(429),
        source=f"{_FACTS}#f6",
        code="throttled",
        holds=True,
    ),
    ReplyKind.REQUEST_TIMEOUT: Meaning(
        when=_status(408),
        source=f"{_FACTS}#f11",
        may_still_land=True,
    ),
    ReplyKind.BUSY: Meaning(
        when=_status(409, 423, 425),
        source=f"{_FACTS}#f11",
    ),
    ReplyKind.GATEWAY_FAULT: Meaning(
        when=_status(502, 504),
        source=f"{_FACTS}#f11",
        outage=Outage.COUNTED,
        may_still_land=True,
    ),
    ReplyKind.UNAVAILABLE: Meaning(
        when=_status(503),
        source=f"{_FACTS}#f11",
        outage=Outage.COUNTED,
        holds=True,
    ),
    ReplyKind.SERVER_FAULT: Meaning(
        when=lambda evidence: evidence.status is not None and evidence.status >= 500,  # noqa: PLR2004 - server errors
        source=f"{_FACTS}#f11",
        outage=Outage.COUNTED,
    ),
    ReplyKind.FOREIGN: Meaning(
        when=_foreign,
        source=f"{_FACTS}#f91",
        text="Something between the app and Graph answered {status}",
        outage=Outage.AT_ONCE,
    ),
    ReplyKind.UNAUTHORIZED: Meaning(
        when=_status(401),
        source=f"{_FACTS}#f25",
        code="notAuthorized",
        outage=Outage.COUNTED,
        wants_new_token=True,
    ),
    ReplyKind.FORBIDDEN: Meaning(
        when=_status(403),
        source=f"{_FACTS}#f15",
        code="notAuthorized",
        outage=Outage.COUNTED,
    ),
    ReplyKind.BROKEN: Meaning(
        when=lambda evidence: evidence.body is BodyForm.BROKEN,
        source="https://www.rfc-editor.org/rfc/rfc9112#section-8",
        text="Graph answered {status} with a body that could not be read",
        outage=Outage.COUNTED,
    ),
    ReplyKind.PASSING: Meaning(
        when=lambda evidence: bool(evidence.codes & _PASSING_CODES),
        source="https://learn.microsoft.com/graph/errors#code-property",
        outage=Outage.COUNTED,
    ),
    ReplyKind.REFUSED: Meaning(
        when=lambda _evidence: True,
        source=_STATUSES,
        code="graphRejected",
        refusal=True,
    ),
}
