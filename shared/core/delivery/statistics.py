"""Counts of what happens, minute by minute: what statistics are made of.

A count is a name and a number: a status (moves in count up, moves out count down, so that the sum is how many are in
it), a ``statusDetail`` of success, ``error:`` with a final error code, ``writes`` for Graph calls, ``webhook:`` with a
source for its requests, and with a source and a reason for those that were refused; ``verification:`` with a verdict,
``notices:`` with what became of a notice.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.core.delivery.outcome import Outcome, State
from shared.core.delivery.outcome_filter import STATUSES
from shared.core.delivery.verification import VerificationState

#: An hour's counts by minute (0-59).
type Minutes = Mapping[int, Mapping[str, int]]
type Counts = Mapping[str, int]

WRITES = "writes"
_ERROR, _WEBHOOK, _VERIFICATION, _NOTICES = "error:", "webhook:", "verification:", "notices:"
#: What becomes of an outcome notice.
SENT, DROPPED = "sent", "dropped"
#: What statistics reach back.
REACH = timedelta(hours=24)
#: Deliveries are shown for this many minutes, and their rate is the mean of the last few.
SHOWN_MINUTES, RATE_MINUTES = 60, 5


@dataclass(frozen=True)
class WebhookStatistics:
    """One webhook source's requests: how many, how many of them were refused by reason, and the last refusal."""

    requests: int
    refusals: Counts
    last_refused: datetime | None = None
    last_reason: str | None = None

    @property
    def refused(self) -> int:
        """How many requests were refused."""
        return sum(self.refusals.values())


@dataclass(frozen=True)
class Statistics:
    """The last 24 hours, summed."""

    statuses: Counts
    details: Counts
    errors: Counts
    writes: int
    #: Updates that succeeded in each of the last ``SHOWN_MINUTES`` minutes, oldest first.
    delivered: tuple[tuple[datetime, int], ...]
    #: By source; ``*`` is all sources that are not configured.
    webhooks: Mapping[str, WebhookStatistics]
    #: Outcome notices, ``SENT`` and ``DROPPED``.
    notices: Counts
    verification: Counts

    @property
    def deliveries_per_minute(self) -> float:
        """The mean of the last whole minutes."""
        whole = self.delivered[-1 - RATE_MINUTES : -1]
        return sum(count for _, count in whole) / RATE_MINUTES


def transition_counts(before: Outcome | None, after: Outcome) -> Counts:
    """What a change of an outcome counts."""
    counts = Counter({after.state.status: 1})
    if before is not None:
        counts[before.state.status] -= 1
    if after.state.final:
        if after.state.detail:
            counts[after.state.detail] += 1
        if after.error:
            counts[_ERROR + str(after.error.get("code"))] += 1
    return {name: count for name, count in counts.items() if count}


def webhook_counts(source: str, refusal: str | None) -> Counts:
    """Return what a request of a webhook source counts."""
    requests = {f"{_WEBHOOK}{source}": 1}
    return requests if refusal is None else {**requests, f"{_WEBHOOK}{source}:{refusal}": 1}


def notice_counts(became: str) -> Counts:
    """Return what an outcome notice counts that was ``SENT`` or ``DROPPED``."""
    return {f"{_NOTICES}{became}": 1}


def verification_counts(state: VerificationState) -> Counts:
    """Return what a verdict on a delivered update counts."""
    return {f"{_VERIFICATION}{state.value}": 1}


def hour_of(moment: datetime) -> datetime:
    """The hour that holds it."""
    return moment.replace(minute=0, second=0, microsecond=0)


def sum_counts(hours: Iterable[tuple[datetime, Minutes]], now: datetime) -> Statistics:
    """All counts of the last 24 hours."""
    total: Counter[str] = Counter()
    delivered: Counter[datetime] = Counter()
    latest: dict[str, datetime] = {}
    for hour, minutes in hours:
        for minute, counts in minutes.items():
            moment = hour + timedelta(minutes=minute)
            if moment > now - REACH:
                total.update(counts)
                delivered[moment] += counts.get("succeeded", 0)
                latest |= {name: max(moment, latest.get(name, moment)) for name in counts if name.startswith(_WEBHOOK)}
    last = now.replace(second=0, microsecond=0)
    shown = [last - timedelta(minutes=ago) for ago in reversed(range(SHOWN_MINUTES))]
    return Statistics(
        # An update accepted before the window and ended in it leaves its first status once too often.
        statuses={status: max(0, total[status]) for status in STATUSES},
        details={state.detail: total[state.detail] for state in State if state.final and state.detail},
        errors={name.removeprefix(_ERROR): total[name] for name in sorted(total) if name.startswith(_ERROR)},
        writes=total[WRITES],
        delivered=tuple((moment, delivered[moment]) for moment in shown),
        webhooks={source: _webhook(source, total, latest) for source in _sources(latest)},
        notices={became: total[f"{_NOTICES}{became}"] for became in (SENT, DROPPED)},
        verification={state.value: total[f"{_VERIFICATION}{state.value}"] for state in VerificationState},
    )


def _sources(names: Iterable[str]) -> list[str]:
    return sorted({name.split(":")[1] for name in names})


def _webhook(source: str, total: Counts, latest: Mapping[str, datetime]) -> WebhookStatistics:
    own = f"{_WEBHOOK}{source}"
    moments = {name.removeprefix(f"{own}:"): moment for name, moment in latest.items() if name.startswith(f"{own}:")}
    refusals = {reason: total[f"{own}:{reason}"] for reason in sorted(moments)}
    if not moments:
        return WebhookStatistics(total[own], refusals)
    reason = max(moments, key=moments.__getitem__)
    return WebhookStatistics(total[own], refusals, moments[reason], reason)
