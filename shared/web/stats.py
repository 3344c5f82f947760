"""``GET /api/stats``: what happened in the last 24 hours and what is to be done, at the same cost at any size."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.basics.timestamp import format_milliseconds
from shared.core.delivery.statistics import WebhookStatistics
from shared.core.delivery.verification import VerificationState
from shared.core.intake.update_schema import PRIORITIES
from shared.core.intake.webhook_source import Refusal
from shared.core.pause import Kind
from shared.core.rate_limit.quota import Quota, used
from shared.service.delivery.pauses import ActivePauses
from shared.service.outcomes.counters import Counters
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import QueueHead, RateLimitStore, UpdateQueue
from shared.service.queues import Queues, both
from shared.web.caller import Callers
from shared.web.endpoint import endpoint
from shared.web.openapi.operations import as_json, operation
from shared.web.openapi.schemas import COUNT, COUNTS, DATE_TIME, Schema, nullable, object_of, ref
from shared.web.response import json_response


@dataclass(frozen=True)
class StatsApi:
    """Counts from aggregates; queue and quota as they are now."""

    counters: Counters
    queues: Queues
    #: The outbox; None where no notices are sent.
    notices: UpdateQueue | None
    pacing: RateLimitStore
    active_pauses: ActivePauses
    quota: Quota
    clock: Clock
    callers: Callers

    @endpoint
    def get_stats(self, _request: func.HttpRequest) -> func.HttpResponse:
        """Return the statistics of the last 24 hours.

        From aggregates, at the same cost at any size; counts of other instances may lag by less than a minute. The
        queue and the quota are as they are now.
        """
        statistics, now, heads = self.counters.statistics(), self.clock.now(), self.queues.heads()
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
                "queue": _queue(both(heads), now),
                "lanes": {priority: _queue(head, now) for priority, head in heads.items()},
                "quota": self._quota(now),
                "pauses": self._pauses(),
                "verification": dict(statistics.verification),
                "notices": {**statistics.notices, "waiting": self.notices.head().length if self.notices else 0},
                "webhooks": {source: _webhook(requests) for source, requests in statistics.webhooks.items()},
            },
        )

    def _pauses(self) -> dict[str, object]:
        pauses = self.active_pauses()
        braked = [pause.scope.status for pause in pauses if pause.kind is Kind.BRAKE]
        return {"count": len(pauses), "brakedStatuses": braked}

    def _quota(self, now: datetime) -> dict[str, object]:
        pacing, moment = self.pacing.read()[0], int(now.timestamp() * 1000)
        held_until = max(pacing.held_until, *(own.blocked_until for _, own in pacing.policies), 0)
        held = held_until > moment
        return {
            "writes": self.quota.count,
            "seconds": self.quota.window / 1000,
            "used": used(pacing.stamps, self.quota, moment),
            "holding": pacing.outage or held,
            "holdUntilDateTime": format_milliseconds(_moment(held_until)) if held else None,
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


_QUEUE: Final[Schema] = object_of({"length": COUNT, "headAgeSeconds": nullable({"type": "number", "minimum": 0})})
SCHEMAS: Final[Schema] = {
    "Stats": object_of(
        {
            "asOfDateTime": DATE_TIME,
            "last24Hours": object_of(
                {"byStatus": COUNTS, "byStatusDetail": COUNTS, "byErrorCode": COUNTS, "graphWrites": COUNT}
            ),
            "deliveriesPerMinute": {"type": "number", "minimum": 0},
            "verification": object_of(
                {state.value: COUNT for state in VerificationState},
                description="Delivered updates whose values were read back in the last 24 hours.",
            ),
            "webhooks": {"type": "object", "additionalProperties": ref("WebhookRequests")},
            "notices": object_of(
                {"sent": COUNT, "waiting": COUNT, "dropped": COUNT},
                description="Outcome notices: sent and dropped in the last 24 hours, and those that wait now.",
            ),
            "deliveries": {"type": "array", "items": object_of({"startDateTime": DATE_TIME, "count": COUNT})},
            "queue": _QUEUE,
            "lanes": object_of(dict.fromkeys(PRIORITIES, _QUEUE)),
            "pauses": object_of(
                {
                    "count": {**COUNT, "description": "Pauses that hold updates now."},
                    "brakedStatuses": {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "Statuses that the brake holds until an operator decides.",
                    },
                }
            ),
            "quota": object_of(
                {
                    "writes": COUNT,
                    "seconds": {"type": "number"},
                    "used": COUNT,
                    "holding": {"type": "boolean"},
                    "holdUntilDateTime": nullable(DATE_TIME),
                }
            ),
        }
    ),
    "Verification": object_of(
        {
            "state": {"type": "string", "enum": [state.value for state in VerificationState]},
            "checkedDateTime": DATE_TIME,
        },
        description="Whether Graph still showed the values when its list was read back (VERIFY_AFTER_SECONDS).",
    ),
    "WebhookRequests": object_of(
        {
            "requests": COUNT,
            "refused": COUNT,
            "byReason": COUNTS,
            "lastRefusedDateTime": nullable(DATE_TIME),
            "lastRefusedReason": nullable({"type": "string", "enum": [str(reason) for reason in Refusal]}),
        },
        description="Requests of a source in the last 24 hours; `*` is all sources that are not configured.",
    ),
}
OPERATIONS: Final[Mapping[str, Mapping[str, Schema]]] = {
    "/stats": {"get": operation(StatsApi.get_stats, "Operations", {200: as_json(ref("Stats"), "The counts.")})},
}
