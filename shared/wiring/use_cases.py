"""The use cases of one app over its ports, each imported and made at its first use.

So an instance that only delivers never loads the doctor.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.wiring.once import made_once
from shared.wiring.pauses import PauseUseCases

if TYPE_CHECKING:
    from shared.core.rate_limit import Quota
    from shared.service.delivery.cancel import Cancel
    from shared.service.delivery.complete import Complete
    from shared.service.delivery.decide import Decide
    from shared.service.delivery.deliver import Deliver
    from shared.service.delivery.directories import UserDirectories
    from shared.service.delivery.lease import Leases
    from shared.service.delivery.read_outcomes import ReadOutcomes
    from shared.service.delivery.resolve import Resolve
    from shared.service.delivery.take_turn import TakeTurn
    from shared.service.delivery.terminate import Terminate
    from shared.service.delivery.write import Write
    from shared.service.intake.accept import Accept
    from shared.service.intake.replay import Replay
    from shared.service.intake.webhook_refusals import WebhookRefusals
    from shared.service.rate_limiter import RateLimiter

#: Storage calls of one batch at a time: more would slow down single requests.
STORAGE_CALLS_AT_ONCE = 16


class UseCases(PauseUseCases):
    """One of each for one app."""

    # Intake.

    @made_once
    def accept(self) -> Accept:
        from shared.adapters.system import ThreadMap
        from shared.service.intake.accept import Accept

        ports = self.ports
        return Accept(
            queues=self.queues,
            user_statuses=ports.user_statuses,
            repository=self.repository,
            keys=ports.idempotency_keys,
            clock=ports.clock,
            randomness=ports.randomness,
            each=ThreadMap(STORAGE_CALLS_AT_ONCE),
            telemetry=ports.telemetry,
        )

    @made_once
    def replay(self) -> Replay:
        from shared.service.intake.replay import Replay

        return Replay(self.ports.outcomes, self.accept, self.ports.clock, self.ports.randomness)

    @made_once
    def webhook_refusals(self) -> WebhookRefusals:
        from shared.service.intake.webhook_refusals import WebhookRefusals

        ports = self.ports
        return WebhookRefusals(
            keys=ports.idempotency_keys,
            repository=self.repository,
            counters=self.counters,
            telemetry=ports.telemetry,
            clock=ports.clock,
            randomness=ports.randomness,
        )

    # Delivery.

    @made_once
    def deliver(self) -> Deliver:
        from shared.service.delivery.deliver import Deliver

        ports = self.ports
        return Deliver(
            queues=self.queues,
            keys=ports.idempotency_keys,
            repository=self.repository,
            hold=self.hold,
            resolve=self.resolve,
            take_turn=self.take_turn,
            put_back=self.put_back,
            clock=ports.clock,
            telemetry=ports.telemetry,
        )

    @made_once
    def resolve(self) -> Resolve:
        from shared.service.delivery.resolve import Resolve

        ports = self.ports
        return Resolve(
            directories=self.directories,
            user_statuses=ports.user_statuses,
            repository=self.repository,
            complete=self.complete,
            rate_limiter=self.rate_limiter,
            clock=ports.clock,
            decide=self.decide,
        )

    @made_once
    def directories(self) -> UserDirectories:
        from shared.service.delivery.directories import UserDirectories

        ports = self.ports
        return UserDirectories(ports.graph, ports.identity, self.rate_limiter, ports.clock, ports.telemetry)

    @made_once
    def take_turn(self) -> TakeTurn:
        from shared.service.delivery.take_turn import TakeTurn

        ports = self.ports
        return TakeTurn(
            user_statuses=ports.user_statuses,
            leases=self.leases,
            read_outcomes=self.read_outcomes,
            hold=self.hold,
            identity=ports.identity,
            rate_limiter=self.rate_limiter,
            write=self.write,
            complete=self.complete,
            clock=ports.clock,
            randomness=ports.randomness,
            decide=self.decide,
        )

    @made_once
    def complete(self) -> Complete:
        from shared.service.delivery.complete import Complete

        return Complete(self.queues, self.read_outcomes, self.repository, self.ports.clock, self.settings.verify_after)

    @made_once
    def read_outcomes(self) -> ReadOutcomes:
        from shared.service.delivery.read_outcomes import ReadOutcomes

        return ReadOutcomes(self.ports.outcomes, self.ports.clock)

    @made_once
    def write(self) -> Write:
        from shared.service.delivery.write import Write

        ports = self.ports
        return Write(
            graph=ports.graph,
            identity=ports.identity,
            rate_limiter=self.rate_limiter,
            counters=self.counters,
            telemetry=ports.telemetry,
            active=self.active_pauses,
            brake=self.brake,
        )

    @made_once
    def leases(self) -> Leases:
        from shared.service.delivery.lease import Leases

        limit = timedelta(seconds=self.settings.graph_timeout_seconds)
        return Leases(self.ports.user_statuses, self.ports.clock, limit)

    @made_once
    def terminate(self) -> Terminate:
        from shared.service.delivery.terminate import Terminate

        ports, verify_after = self.ports, self.settings.verify_after
        return Terminate(self.queues, self.leases, self.repository, ports.clock, ports.randomness, verify_after)

    @made_once
    def cancel(self) -> Cancel:
        from shared.service.delivery.cancel import Cancel

        return Cancel(self.repository, self.terminate, self.ports.clock)

    @made_once
    def rate_limiter(self) -> RateLimiter:
        from shared.service.rate_limiter import RateLimiter

        return RateLimiter(
            self.ports.rate_limit,
            self.quota,
            clock=self.ports.clock,
            randomness=self.ports.randomness,
            call_milliseconds=int(self.settings.graph_timeout_seconds * 1000),
        )

    @made_once
    def quota(self) -> Quota:
        from shared.core.rate_limit import Quota

        quota = self.settings.write_quota
        return Quota(quota.count, int(quota.seconds * 1000))

    @made_once
    def decide(self) -> Decide:
        from shared.core.delivery.retry import DeliveryLimits, RetryPolicy
        from shared.service.delivery.decide import Decide

        settings = self.settings
        retry = RetryPolicy(settings.retry_base_seconds, settings.retry_max_seconds, settings.write_quota.seconds)
        limits = DeliveryLimits(settings.delivery_deadline, retry)
        return Decide(self.ports.clock, self.ports.randomness, limits)
