"""Webhook sources of which every request is refused: their senders believe that they report."""

from collections.abc import Iterable

from shared.core.delivery.statistics import Statistics, WebhookStatistics
from shared.core.intake.webhook_source import Refusal
from shared.service.diagnosis.checks import CheckResult, failing, ok

#: By the reason of the last refusal.
_NEXT_STEPS = {
    Refusal.SIGNATURE: "Compare the source's verify in WEBHOOK_SOURCES, above all its secrets, with the sender.",
    Refusal.TIMESTAMP: "Check the sender's clock, and that nothing holds its requests back for minutes.",
    Refusal.INVALID_MESSAGE: "List the updates with errorCode=invalidMessage: each says what came and what is wrong; "
    "mend the source's map.",
}


def webhook_check(name: str, statistics: Statistics, sources: Iterable[str]) -> CheckResult:
    """Return the finding about the configured sources: failing where all requests of one were refused."""
    known = {source: statistics.webhooks[source] for source in sorted(sources) if source in statistics.webhooks}
    refused = {source: requests for source, requests in known.items() if requests.refused >= requests.requests > 0}
    if not refused:
        return ok(name, "No webhook source had all of its requests refused in the last 24 hours.")
    steps = dict.fromkeys(_NEXT_STEPS[Refusal(str(requests.last_reason))] for requests in refused.values())
    return failing(name, " ".join(_sentence(source, requests) for source, requests in refused.items()), " ".join(steps))


def _sentence(source: str, requests: WebhookStatistics) -> str:
    last = f"{requests.last_refused:%Y-%m-%d %H:%M} UTC"
    count = "its only request" if requests.requests == 1 else f"all {requests.requests} requests"
    return f"{source}: {count} of the last 24 hours refused, the last at {last}: {requests.last_reason}."
