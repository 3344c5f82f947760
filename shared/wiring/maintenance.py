"""The use cases of timers, operators and health checks, each imported and made at its first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.wiring.once import made_once
from shared.wiring.use_cases import UseCases

if TYPE_CHECKING:
    from shared.service.diagnosis.doctor import Doctor
    from shared.service.diagnosis.readiness import Readiness
    from shared.service.erasure.erase import Erase
    from shared.service.maintenance.manage_pauses import ManagePauses
    from shared.service.maintenance.poison_queue import ConsumePoison
    from shared.service.maintenance.publish_gauges import PublishGauges
    from shared.service.maintenance.purge import Purge
    from shared.service.maintenance.reconcile import Reconcile
    from shared.service.maintenance.verify import Verify
    from shared.service.notices.send import SendNotice


class Maintenance(UseCases):
    """One of each for one app."""

    @made_once
    def consume_poison(self) -> ConsumePoison:
        from shared.service.maintenance.poison_queue import ConsumePoison

        return ConsumePoison(self.queues, self.repository, self.put_back, self.terminate, self.ports.clock)

    @made_once
    def reconcile(self) -> Reconcile:
        from shared.service.maintenance.holds import Holds
        from shared.service.maintenance.reconcile import Reconcile

        ports, limit = self.ports, int(self.settings.graph_timeout_seconds * 1000)
        return Reconcile(
            holds=Holds(self.queues, ports.rate_limit, ports.pauses, self.quota, ports.clock, limit),
            outcomes=ports.outcomes,
            user_statuses=ports.user_statuses,
            put_back=self.put_back,
            deadline=self.settings.delivery_deadline,
        )

    @made_once
    def manage_pauses(self) -> ManagePauses:
        from shared.service.maintenance.manage_pauses import ManagePauses

        ports = self.ports
        return ManagePauses(
            store=ports.pauses,
            active=self.active_pauses,
            outcomes=ports.outcomes,
            put_back=self.put_back,
            cancel=self.cancel,
            brake=self.brake,
            clock=ports.clock,
            randomness=ports.randomness,
            call_later=ports.call_later,
        )

    @made_once
    def send_notice(self) -> SendNotice:
        from shared.core.delivery.notice import NoticeBackoff
        from shared.service.notices.send import SendNotice

        ports, settings = self.ports, self.settings
        return SendNotice(
            ports.notices,
            ports.outcomes,
            ports.notice_receivers,
            self.counters,
            ports.clock,
            ports.randomness,
            NoticeBackoff(settings.retry_base_seconds, settings.retry_max_seconds),
            f"{settings.public_base_url or ''}/api/updates",
        )

    @made_once
    def publish_gauges(self) -> PublishGauges:
        from shared.service.maintenance.publish_gauges import PublishGauges

        ports = self.ports
        return PublishGauges(self.queues, ports.rate_limit, self.quota, ports.clock, ports.telemetry)

    @made_once
    def purge(self) -> Purge:
        from shared.service.maintenance.purge import Purge

        ports, settings = self.ports, self.settings
        return Purge(
            outcomes=ports.outcomes,
            keys=ports.idempotency_keys,
            counters=ports.counters,
            erasures=ports.erasures,
            clock=ports.clock,
            retention=settings.outcome_retention,
            audit=ports.audit,
            audit_retention=settings.audit_retention,
        )

    @made_once
    def verify(self) -> Verify:
        from shared.service.maintenance.verify import Verify

        ports, settings = self.ports, self.settings
        return Verify(
            outcomes=ports.outcomes,
            user_statuses=ports.user_statuses,
            graph=ports.graph,
            identity=ports.identity,
            rate_limiter=self.rate_limiter,
            counters=self.counters,
            clock=ports.clock,
            telemetry=ports.telemetry,
            after=settings.verify_after,
            deadline=settings.delivery_deadline,
            retention=settings.outcome_retention,
        )

    @made_once
    def erase(self) -> Erase:
        from shared.service.erasure.erase import Erase

        ports = self.ports
        return Erase(
            erasures=ports.erasures,
            outcomes=ports.outcomes,
            user_statuses=ports.user_statuses,
            queues=self.queues,
            clock=ports.clock,
            randomness=ports.randomness,
            time_limit=self.settings.outcome_retention,
        )

    @made_once
    def diagnose(self) -> Doctor:
        from shared.service.diagnosis.doctor import Doctor

        ports = self.ports
        return Doctor(
            queues=self.queues,
            counters=ports.counters,
            identity=ports.identity,
            graph=ports.graph,
            user_statuses=ports.user_statuses,
            leases=self.leases,
            rate_limiter=self.rate_limiter,
            write=self.write,
            audit=self.audit,
            active_pauses=self.active_pauses,
            randomness=ports.randomness,
            graph_root=self.settings.graph_audience.removesuffix("/.default"),
            statistics=self.counters.statistics,
            webhook_sources=self.settings.webhook_sources,
            verify_after=self.settings.verify_after,
        )

    @made_once
    def readiness(self) -> Readiness:
        from shared.service.diagnosis.readiness import Readiness

        ports = self.ports
        return Readiness(ports.queue, ports.counters, ports.identity, ports.graph)
