"""The gauges of telemetry: the queue's length and age, the share of the quota in use."""

import logging
from dataclasses import dataclass

from shared.core.rate_limit.quota import Quota, used
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import RateLimitStore, Unavailable
from shared.service.ports.telemetry import Gauges, Telemetry
from shared.service.queues import Queues
from shared.service.redacted_errors import redacts_errors

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PublishGauges:
    """One run of the timer: two reads of the queue and one of the shared row, none where nobody watches."""

    queues: Queues
    rate_limit: RateLimitStore
    quota: Quota
    clock: Clock
    telemetry: Telemetry

    @redacts_errors
    def __call__(self) -> None:
        """Publish the gauges; log where storage is away, since the functions that need it fail by themselves."""
        try:
            self.telemetry.watch(self._look)
        except Unavailable as error:
            log.warning("not observed", extra={"reason": str(error)})

    def _look(self) -> Gauges:
        head, (state, _), now = self.queues.head(), self.rate_limit.read(), self.clock.now()
        age = 0.0 if head.inserted is None else max(0.0, (now - head.inserted).total_seconds())
        share = used(state.stamps, self.quota, int(now.timestamp() * 1000)) / self.quota.count
        return Gauges(head.length, age, share)
