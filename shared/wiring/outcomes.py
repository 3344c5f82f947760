"""The use cases that change outcomes, count them and announce them: what all others build on."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.settings import Settings
from shared.wiring.adapters import Ports, connect
from shared.wiring.once import made_once

if TYPE_CHECKING:
    from shared.service.audit import Audit
    from shared.service.outcomes.counters import Counters
    from shared.service.outcomes.outbox import Outbox
    from shared.service.outcomes.put_back import PutBack
    from shared.service.outcomes.repository import OutcomeRepository
    from shared.service.queues import Queues


class OutcomeUseCases:
    """One of each for one app; ``instead`` names ports to use in place of the real ones (``queue=``, ``graph=``)."""

    def __init__(self, settings: Settings, **instead: Any) -> None:
        self.settings = settings
        self.lock = threading.RLock()
        self._instead = instead

    @made_once
    def ports(self) -> Ports:
        return connect(self.settings, **self._instead)

    @made_once
    def queues(self) -> Queues:
        from shared.service.queues import Queues

        return Queues(self.ports.queue, self.ports.bulk_queue)

    @made_once
    def audit(self) -> Audit:
        from shared.service.audit import Audit

        return Audit(self.ports.audit, self.ports.clock, self.ports.randomness)

    @made_once
    def repository(self) -> OutcomeRepository:
        from shared.service.outcomes.repository import OutcomeRepository

        ports = self.ports
        return OutcomeRepository(ports.outcomes, ports.clock, self.counters, ports.telemetry, self.outbox, ports.pauses)

    @made_once
    def outbox(self) -> Outbox:
        from shared.service.outcomes.outbox import Outbox

        ports, settings = self.ports, self.settings
        reach = settings.delivery_deadline + timedelta(days=1)
        return Outbox(ports.notices, ports.outcomes, ports.clock, settings.notices, reach)

    @made_once
    def put_back(self) -> PutBack:
        from shared.service.outcomes.put_back import PutBack

        return PutBack(self.queues, self.repository, self.ports.clock)

    @made_once
    def counters(self) -> Counters:
        from shared.service.outcomes.counters import Counters

        return Counters(self.ports.counters, self.ports.clock, uuid.uuid4().hex, self.ports.call_later)
