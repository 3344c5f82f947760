"""What the doctor finds, in words that an Intune or Azure administrator can follow."""

from dataclasses import dataclass
from enum import StrEnum

from shared.core.basics.access_token import WRITE_ROLE
from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.reply_kind import ReplyKind


class CheckStatus(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILING = "failing"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class CheckResult:
    """One check: what was found, and what to do about it."""

    name: str
    verdict: CheckStatus
    detail: str
    next_step: str | None = None


#: docs/graph-facts.md#f28: a token outlives a change of its roles.
GRANT = (
    f"Grant the app's managed identity the Microsoft Graph application permission {WRITE_ROLE}, with admin consent. "
    "A token that was issued before keeps its roles: the change may take up to a day."
)
LICENCE = "Check that the tenant has an active Intune licence; a permission granted today may take up to a day."
NETWORK = "Check that the app's network lets it reach Microsoft Graph, and GRAPH_CLOUD and GRAPH_BASE_URL."
CLOUD = "Set GRAPH_CLOUD to the tenant's cloud, then restart the app: tokens of one cloud are not taken by another."
TRY_AGAIN = "Try again in a minute."
NOT_ROUTED = (
    "The service has no code behind this call: no permission helps. Try GRAPH_API_VERSION with the other version, and "
    "ask Microsoft support; until then updates end as operationNotSupported."
)


def ok(name: str, detail: str) -> CheckResult:
    """All is well."""
    return CheckResult(name, CheckStatus.OK, detail)


def failing(name: str, detail: str, next_step: str) -> CheckResult:
    """It does not work, and this helps."""
    return CheckResult(name, CheckStatus.FAILING, detail, next_step)


def unknown(name: str, detail: str, next_step: str) -> CheckResult:
    """It cannot be told."""
    return CheckResult(name, CheckStatus.UNKNOWN, detail, next_step)


def refused(name: str, reply: GraphReply, *, has_role: bool) -> CheckResult:
    """A Graph call that did not succeed."""
    if reply.status_code is None:
        return failing(name, "Graph could not be reached or did not answer in time.", NETWORK)
    if reply.kind is ReplyKind.ROUTE_MISSING:
        return failing(name, "operationNotSupported: Intune answers that it has no route for this call.", NOT_ROUTED)
    if reply.status_code in _STEPS:
        verdict, detail, step = _STEPS[reply.status_code]
        return CheckResult(name, verdict, detail, LICENCE if reply.status_code == _FORBIDDEN and has_role else step)
    if reply.status_code >= _SERVER_ERROR or reply.status_code // 100 == _SUCCESS:
        return unknown(name, f"Graph answered {reply.status_code}: it is not well itself.", TRY_AGAIN)
    said = f"Graph refused: {reply.status_code} {reply.code or ''} {reply.message or ''}".strip()
    return failing(name, said[:500], "Check the ids; Graph's own words say why it refused.")


_FORBIDDEN, _SERVER_ERROR, _SUCCESS = 403, 500, 2
_STEPS = {
    401: (CheckStatus.FAILING, "Graph does not take the token.", CLOUD),
    403: (CheckStatus.FAILING, "Graph forbids it.", GRANT),
    404: (CheckStatus.UNKNOWN, "Graph knows no such policy or user status.", "Name a policy and a user status of it."),
    429: (CheckStatus.UNKNOWN, "Graph is throttling.", TRY_AGAIN),
}
