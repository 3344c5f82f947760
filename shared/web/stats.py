"""``GET /api/stats``: what happened in the last 24 hours and what is to be done, at the same cost at any size."""

from dataclasses import dataclass
from datetime import UTC, datetime

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.basics.timestamp import format_milliseconds
from shared.core.delivery.statistics import WebhookStatistics
from shared.core.rate_limit import Quota, used
from shared.service.outcomes.counters import Counters
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import QueueHead, RateLimitStore, UpdateQueue
from shared.web.errors import handles_errors
from shared.web.response import json_response


@dataclass(frozen=True)
class StatsApi:
    """Counts from aggregates; queue and quota as they are now."""

    counters: Counters
    queue: UpdateQueue
    pacing: RateLimitStore
    quota: Quota
    clock: Clock

    @handles_errors
    def get_stats(self, _request: func.HttpRequest) -> func.HttpResponse:
        """Counts of other instances may lag by less than a minute."""
        statistics, now = self.counters.statistics(), self.clock.now()
        return json_response(
            200,
            {
                "asOfDateTime": format_milliseconds(now),
                "last24Hours": {
                    "byStatus": dict(statistics.statuses),
                    "byStatusDetail": dict(statistics.details),
                    "byErrorCode": dict(statistics.errors),
                    "graphWrites": statistics.writes,
                },
                "deliveriesPerMinute": statistics.deliveries_per_minute,
                "deliveries": [
                    {"startDateTime": format_milliseconds(moment), "count": count}
                    for moment, count in statistics.delivered
                ],
                "queue": _queue(self.queue.head(), now),
                "quota": self._quota(now),
                "webhooks": {source: _webhook(requests) for source, requests in statistics.webhooks.items()},
            },
        )

    def _quota(self, now: datetime) -> dict[str, object]:
        pacing, moment = self.pacing.read()[0], int(now.timestamp() * 1000)
        held = pacing.closed_until > moment
        return {
            "writes": self.quota.count,
            "seconds": self.quota.window / 1000,
            "used": used(pacing, self.quota, moment),
            "holding": pacing.open or held,
            "holdUntilDateTime": format_milliseconds(_moment(pacing.closed_until)) if held else None,
        }


def _queue(head: QueueHead, now: datetime) -> dict[str, object]:
    age = None if head.inserted is None else max(0.0, (now - head.inserted).total_seconds())
    return {"length": head.length, "headAgeSeconds": age}


def _webhook(requests: WebhookStatistics) -> dict[str, object]:
    return {
        "requests": requests.requests,
        "refused": requests.refused,
        "byReason": dict(requests.refusals),
        "lastRefusedDateTime": requests.last_refused and format_milliseconds(requests.last_refused),
        "lastRefusedReason": requests.last_reason,
    }


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
