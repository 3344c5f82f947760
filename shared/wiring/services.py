"""What the triggers of ``function_app`` call, made at its first use: queue and HTTP handlers over the use cases."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from shared.settings import Settings
from shared.settings.values import Authentication
from shared.wiring.adapters import CONNECTIONS
from shared.wiring.maintenance import Maintenance
from shared.wiring.once import made_once

if TYPE_CHECKING:
    from shared.web.audit import AuditApi
    from shared.web.batch import BatchApi
    from shared.web.caller import Callers
    from shared.web.dashboard_files import DashboardFiles
    from shared.web.doctor import DoctorApi
    from shared.web.erasures import ErasuresApi
    from shared.web.health import HealthApi
    from shared.web.openapi.document import OpenApi
    from shared.web.pauses import PausesApi
    from shared.web.queue_message import NoticeMessages, PoisonMessages, UpdateMessages
    from shared.web.running_checks import RunningChecks
    from shared.web.session import SessionApi
    from shared.web.stats import StatsApi
    from shared.web.updates import UpdatesApi
    from shared.web.user_statuses import UserStatusesApi
    from shared.web.validation import ValidationApi
    from shared.web.waiting import Waiting
    from shared.web.webhooks import WebhooksApi


def load_settings() -> Settings:
    """Return the app's settings. Raise ``InvalidSettings`` with one message that names every bad one."""
    return Settings.from_environ(os.environ)


class Services(Maintenance):
    """One app: every handler and use case is an attribute."""

    # Queues.

    @made_once
    def deliver_message(self) -> UpdateMessages:
        from shared.web.queue_message import UpdateMessages

        return UpdateMessages(self.deliver)

    @made_once
    def deliver_bulk_message(self) -> UpdateMessages:
        from shared.web.queue_message import UpdateMessages

        return UpdateMessages(self.deliver, bulk=True)

    @made_once
    def poison_message(self) -> PoisonMessages:
        from shared.web.queue_message import PoisonMessages

        return PoisonMessages(self.consume_poison)

    @made_once
    def poison_bulk_message(self) -> PoisonMessages:
        from shared.web.queue_message import PoisonMessages

        return PoisonMessages(self.consume_poison, bulk=True)

    @made_once
    def notice_message(self) -> NoticeMessages:
        from shared.web.queue_message import NoticeMessages
        from shared.wiring.notice_receivers import NOTICES_AT_ONCE

        return NoticeMessages(self.send_notice, ThreadPoolExecutor(NOTICES_AT_ONCE, "notices"))

    # HTTP.

    @made_once
    def updates(self) -> UpdatesApi:
        from shared.web.updates import UpdatesApi

        ports = self.ports
        return UpdatesApi(
            accept=self.accept,
            cancel=self.cancel,
            replay=self.replay,
            audit=self.audit,
            outcomes=ports.outcomes,
            clock=ports.clock,
            callers=self.callers,
            waiting=self.waiting,
        )

    @made_once
    def batch(self) -> BatchApi:
        from shared.web.batch import BatchApi

        return BatchApi(self.accept, self.callers, self.waiting, self.ports.clock)

    @made_once
    def validation(self) -> ValidationApi:
        from shared.service.delivery.validate import Validate
        from shared.web.validation import ValidationApi

        ports = self.ports
        validate = Validate(
            directories=self.directories,
            user_statuses=ports.user_statuses,
            queues=self.queues,
            rate_limit=ports.rate_limit,
            active_pauses=self.active_pauses,
            quota=self.quota,
            clock=ports.clock,
            randomness=ports.randomness,
            call_milliseconds=int(self.settings.graph_timeout_seconds * 1000),
        )
        return ValidationApi(validate, ports.clock, self.callers, self.waiting)

    @made_once
    def webhooks(self) -> WebhooksApi:
        from shared.web.webhooks import WebhooksApi

        return WebhooksApi(
            accept=self.accept,
            sources=self.settings.webhook_sources,
            refusals=self.webhook_refusals,
            clock=self.ports.clock,
            waiting=self.waiting,
        )

    @made_once
    def user_statuses(self) -> UserStatusesApi:
        from shared.web.user_statuses import UserStatusesApi

        return UserStatusesApi(self.ports.user_statuses, self.callers)

    @made_once
    def erasures(self) -> ErasuresApi:
        from shared.web.erasures import ErasuresApi

        return ErasuresApi(self.erase, self.audit, self.callers)

    @made_once
    def pauses(self) -> PausesApi:
        from shared.web.pauses import PausesApi

        return PausesApi(self.manage_pauses, self.audit, self.callers, self.ports.clock)

    @made_once
    def stats(self) -> StatsApi:
        from shared.web.stats import StatsApi

        ports = self.ports
        return StatsApi(
            counters=self.counters,
            queues=self.queues,
            notices=ports.notices if self.settings.notices else None,
            pacing=ports.rate_limit,
            active_pauses=self.active_pauses,
            quota=self.quota,
            clock=ports.clock,
            callers=self.callers,
        )

    @made_once
    def doctor(self) -> DoctorApi:
        from shared.web.doctor import DoctorApi

        return DoctorApi(self.diagnose, self.running_checks, self.callers, self.ports.clock)

    @made_once
    def audit_records(self) -> AuditApi:
        from shared.web.audit import AuditApi

        return AuditApi(self.audit, self.callers)

    @made_once
    def session(self) -> SessionApi:
        from shared.web.session import SessionApi

        return SessionApi(self.callers)

    @made_once
    def health(self) -> HealthApi:
        from shared.web.health import HealthApi

        return HealthApi(self.readiness, self.running_checks, self.ports.clock)

    @made_once
    def openapi(self) -> OpenApi:
        from shared.web.openapi.document import OpenApi

        return OpenApi(self.callers)

    @made_once
    def dashboard(self) -> DashboardFiles:
        from shared.web.dashboard_files import DashboardFiles

        return DashboardFiles()

    @made_once
    def callers(self) -> Callers:
        from shared.web.caller import Callers

        settings = self.settings
        needs_role = settings.authentication is Authentication.ENTRA
        return Callers(settings.public_base_url, settings.platform_authentication, needs_role)

    @made_once
    def running_checks(self) -> RunningChecks:
        from shared.web.running_checks import RunningChecks

        return RunningChecks()

    @made_once
    def waiting(self) -> Waiting:
        from shared.web.waiting import Waiting

        ports = self.ports
        return Waiting(ports.outcomes, ports.clock, ThreadPoolExecutor(CONNECTIONS, "http"), ports.sleep)
