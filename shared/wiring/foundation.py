"""What the other use cases of one app are built on: its ports, outcomes, audit and pauses, made at their first use."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING, Any

from shared.settings import Settings
from shared.wiring.adapters import Ports, connect
from shared.wiring.once import made_once

if TYPE_CHECKING:
    from shared.service.audit import Audit
    from shared.service.delivery.brake import Brake
    from shared.service.delivery.pauses import ActivePauses, Hold
    from shared.service.outcomes.counters import Counters
    from shared.service.outcomes.put_back import PutBack
    from shared.service.outcomes.repository import OutcomeRepository
    from shared.service.queues import Queues


class Foundation:
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

    # Pauses.

    @made_once
    def active_pauses(self) -> ActivePauses:
        from shared.service.delivery.pauses import ActivePauses

        return ActivePauses(self.ports.pauses, self.ports.clock)

    @made_once
    def hold(self) -> Hold:
        from shared.service.delivery.pauses import Hold

        return Hold(self.active_pauses, self.ports.pauses, self.repository, self.ports.clock)

    @made_once
    def brake(self) -> Brake:
        from shared.service.delivery.brake import Brake

        ports = self.ports
        return Brake(
            limits=self.settings.change_brake,
            counts=ports.brake,
            pauses=ports.pauses,
            active=self.active_pauses,
            clock=ports.clock,
            randomness=ports.randomness,
        )

    # Outcomes and audit.

    @made_once
    def audit(self) -> Audit:
        from shared.service.audit import Audit

        return Audit(self.ports.audit, self.ports.clock, self.ports.randomness)

    @made_once
    def repository(self) -> OutcomeRepository:
        from shared.service.outcomes.repository import OutcomeRepository

        ports = self.ports
        return OutcomeRepository(ports.outcomes, ports.clock, self.counters, ports.telemetry, ports.pauses)

    @made_once
    def put_back(self) -> PutBack:
        from shared.service.outcomes.put_back import PutBack

        return PutBack(self.queues, self.repository, self.ports.clock)

    @made_once
    def counters(self) -> Counters:
        from shared.service.outcomes.counters import Counters

        return Counters(self.ports.counters, self.ports.clock, uuid.uuid4().hex, self.ports.call_later)
