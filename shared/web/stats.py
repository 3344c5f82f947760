"""``GET /api/stats``: what happened in the last 24 hours and what is to be done, at the same cost at any size."""

from dataclasses import dataclass
from datetime import UTC, datetime

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.pacing import Quota, used
from shared.core.timestamp import format_milliseconds
from shared.service.ports import Clock, PacingStore, QueueHead, UpdateQueue
from shared.service.tally import Tally
from shared.web.answers import answer
from shared.web.boundary import answers_problems


@dataclass(frozen=True)
class Stats:
    """Counts from aggregates; queue and quota as they are now."""

    tally: Tally
    queue: UpdateQueue
    pacing: PacingStore
    quota: Quota
    clock: Clock

    @answers_problems
    def get_stats(self, _request: func.HttpRequest) -> func.HttpResponse:
        """Counts of other instances may lag by less than a minute."""
        activity, now = self.tally.activity(), self.clock.now()
        return answer(
            200,
            {
                "asOfDateTime": format_milliseconds(now),
                "last24Hours": {
                    "byStatus": dict(activity.statuses),
                    "byStatusDetail": dict(activity.details),
                    "byErrorCode": dict(activity.errors),
                    "graphWrites": activity.writes,
                },
                "deliveriesPerMinute": activity.deliveries_per_minute,
                "deliveries": [
                    {"startDateTime": format_milliseconds(moment), "count": count}
                    for moment, count in activity.delivered
                ],
                "queue": _queue(self.queue.head(), now),
                "quota": self._quota(now),
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


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
