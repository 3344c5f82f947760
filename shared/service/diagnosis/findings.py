"""What a failed call means for a check: a status, what was found, and the next step of the cause."""

from shared.core.basics.access_token import WRITE_ROLE, Claims, read_claims
from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.reply_kind import NetworkFault, ReplyKind
from shared.core.delivery.retry import message_of
from shared.service.diagnosis import next_steps
from shared.service.diagnosis.checks import CheckResult, CheckStatus, failing
from shared.service.ports.graph import IdentityUnavailable
from shared.service.ports.storage import Denied, Unavailable

_DETAIL_LENGTH = 500


def graph_finding(name: str, reply: GraphReply, token: str, graph_root: str) -> CheckResult:
    """Return what a Graph call that did not succeed means."""
    if reply.kind is ReplyKind.NEVER_SENT:
        step = next_steps.NETWORK[reply.network or NetworkFault.OTHER].format(**next_steps.GRAPH_TARGET)
        return failing(name, message_of(reply)[:_DETAIL_LENGTH], step)
    status, step = next_steps.REPLIES.get(reply.kind, next_steps.PASSING)
    claims = read_claims(token)
    match reply:
        case GraphReply(status_code=404, kind=ReplyKind.REFUSED):
            status, step = CheckStatus.UNKNOWN, "Name a policy and a user status of it."
        case GraphReply(kind=ReplyKind.FORBIDDEN) if claims is not None and WRITE_ROLE in claims.roles:
            step = next_steps.LICENCE
        case GraphReply(kind=ReplyKind.UNAUTHORIZED) if claims is not None and not claims.is_for(graph_root):
            step = next_steps.CLOUD
        case GraphReply(kind=ReplyKind.APPROVAL_REQUIRED):
            step = step.format(client_id=_client_id(claims))
    return CheckResult(name, status, _detail(reply), step)


def storage_finding(name: str, error: Unavailable, role: str) -> CheckResult:
    """Return what storage's refusal, or its absence, means."""
    words = {**next_steps.STORAGE_TARGET, "role": role}
    steps = {**next_steps.STORAGE, **{fault.value: step for fault, step in next_steps.NETWORK.items()}}
    otherwise = next_steps.STORAGE_DENIED if isinstance(error, Denied) else next_steps.STORAGE_AWAY
    step = steps.get(error.code or "", otherwise)
    answered = "Storage answers, but refuses the app" if isinstance(error, Denied) else "Storage cannot be used"
    return failing(name, f"{answered} ({error})."[:_DETAIL_LENGTH], step.format(**words))


def identity_finding(name: str, error: IdentityUnavailable) -> CheckResult:
    """Return what a missing token means, by the endpoint's own words."""
    text = str(error)
    step = next((step for words, step in next_steps.IDENTITY if words in text), next_steps.IDENTITY_ELSE)
    return failing(name, f"No token can be had: {text}."[:_DETAIL_LENGTH], step)


def _detail(reply: GraphReply) -> str:
    """Return who answered, the status, and Graph's own code and words."""
    if reply.status_code is None or reply.meaning.text is not None:
        return message_of(reply)[:_DETAIL_LENGTH]
    code = {ReplyKind.ROUTE_MISSING: "operationNotSupported: "}.get(reply.kind, "")
    own = " ".join(part for part in (reply.code, reply.message) if part)
    return f"{code}Graph answered {reply.status_code}{f': {own}' if own else ''}."[:_DETAIL_LENGTH]


def _client_id(claims: Claims | None) -> str:
    return f" {claims.application_id}" if claims is not None and claims.application_id else ""
