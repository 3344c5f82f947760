"""Adapters become use cases; the only place that knows everyone.

``build`` makes a relay, any part of it replaced on demand; ``Lazily`` makes the app's one relay, once, at first use.
"""

import os
import threading
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.core.decision import RetryPolicy
from shared.core.pacing import Quota
from shared.outside import CONNECTIONS, Ports, connect
from shared.service.accept import Accept, Each
from shared.service.cancel import Cancel
from shared.service.deliver import Deliver
from shared.service.directories import Directories
from shared.service.doctor import Doctor
from shared.service.end import End
from shared.service.erase import Erase
from shared.service.gate import Gate
from shared.service.lease import Leases
from shared.service.observe import Observe
from shared.service.poison import Poison
from shared.service.purge import Purge
from shared.service.reconcile import Reconcile
from shared.service.records import Records
from shared.service.replay import Replay
from shared.service.resolve import Resolve
from shared.service.sending import Write
from shared.service.settle import Settle
from shared.service.tally import Tally
from shared.service.turn import Limits, Turn
from shared.settings import Settings
from shared.web.api import Api
from shared.web.callers import Callers
from shared.web.doctor import DoctorPage
from shared.web.erasures import Erasures
from shared.web.health import Health, Readiness
from shared.web.many import Batches
from shared.web.openapi import OpenApi
from shared.web.pages import Pages
from shared.web.stats import Stats
from shared.web.user_statuses import UserStatuses
from shared.web.waiting import Waiting
from shared.web.webhooks import Webhooks

#: Of one batch: what a batch gains beyond this, single requests lose.
STORAGE_CALLS_AT_ONCE = 16


@dataclass(frozen=True)
class Relay:
    """The app, wired."""

    ports: Ports
    deliver: Deliver
    poison: Poison
    reconcile: Reconcile
    observe: Observe
    purge: Purge
    erase: Erase
    api: Api
    batches: Batches
    user_statuses: UserStatuses
    webhooks: Webhooks
    erasures: Erasures
    stats: Stats
    health: Health
    doctor: DoctorPage
    openapi: OpenApi
    pages: Pages


def load_settings() -> Settings:
    """The app's settings; raises one message that names all that is wrong with them."""
    return Settings.from_environ(os.environ)


def build(settings: Settings, **instead: Any) -> Relay:
    """A relay by its settings; ``instead`` names ports (``queue=``, ``graph=``) to use in place of the real ones."""
    outside = connect(settings, **instead)
    tally = Tally(outside.activity, outside.clock, uuid.uuid4().hex, outside.later)
    records = Records(outside.outcomes, outside.clock, tally, outside.telemetry)
    leases = Leases(outside.user_statuses, outside.clock, timedelta(seconds=settings.graph_timeout_seconds))
    end = End(outside.user_statuses, leases, records, outside.clock)
    erase = _erase(settings, outside)
    accept = Accept(
        outside.queue, outside.user_statuses, records, outside.keys, outside.clock, outside.chance,
        several_at_a_time(ThreadPoolExecutor(STORAGE_CALLS_AT_ONCE, "storage")), outside.telemetry,
    )  # fmt: skip
    waiting = Waiting(outside.outcomes, outside.clock, ThreadPoolExecutor(CONNECTIONS, "http"), outside.sleep)
    callers = Callers(settings.public_base_url, os.environ.get("WEBSITE_AUTH_ENABLED", "").lower() in ("true", "1"))
    readiness = Readiness(outside.queue, outside.activity, outside.identity, outside.graph)
    gate = _gate(settings, outside)
    return Relay(
        ports=outside,
        deliver=_deliver(settings, outside, leases, records, gate),
        poison=Poison(outside.queue, records, end, outside.clock),
        reconcile=Reconcile(outside.queue, outside.outcomes, records, outside.clock, settings.delivery_deadline),
        observe=Observe(outside.queue, outside.pacing, _quota(settings), outside.clock, outside.telemetry),
        purge=_purge(settings, outside),
        erase=erase,
        api=Api(
            accept=accept, cancel=Cancel(records, end, outside.clock),
            replay=Replay(outside.outcomes, accept, outside.clock, outside.chance),
            outcomes=outside.outcomes, clock=outside.clock, callers=callers, waiting=waiting,
        ),
        batches=Batches(accept, callers),
        user_statuses=UserStatuses(outside.user_statuses),
        webhooks=Webhooks(accept, settings.webhook_sources),
        erasures=Erasures(erase, callers),
        stats=Stats(tally, outside.queue, outside.pacing, _quota(settings), outside.clock),
        health=Health(readiness, waiting, outside.clock),
        doctor=DoctorPage(_doctor(settings, outside, leases, records, gate), waiting, outside.clock),
        openapi=OpenApi(callers),
        pages=Pages(),
    )  # fmt: skip


def _gate(settings: Settings, outside: Ports) -> Gate:
    return Gate(
        outside.pacing, _quota(settings), clock=outside.clock, chance=outside.chance,
        call_milliseconds=int(settings.graph_timeout_seconds * 1000),
    )  # fmt: skip


def _deliver(settings: Settings, outside: Ports, leases: Leases, records: Records, gate: Gate) -> Deliver:
    retry = RetryPolicy(settings.retry_base_seconds, settings.retry_max_seconds, settings.write_quota.seconds)
    limits = Limits(settings.delivery_deadline, retry)
    settle = Settle(outside.queue, outside.user_statuses, records, outside.clock)
    directories = Directories(outside.graph, outside.identity, gate, outside.clock, outside.telemetry)
    resolve = Resolve(
        directories, outside.user_statuses, records, settle, gate, outside.clock, outside.chance, limits
    )  # fmt: skip
    turn = Turn(
        user_statuses=outside.user_statuses, leases=leases, records=records, identity=outside.identity, gate=gate,
        write=Write(outside.graph, outside.identity, gate, records.tally, outside.telemetry), settle=settle,
        clock=outside.clock, chance=outside.chance, limits=limits,
    )  # fmt: skip
    return Deliver(outside.queue, outside.keys, records, resolve, turn, outside.clock, outside.telemetry)


def _doctor(settings: Settings, outside: Ports, leases: Leases, records: Records, gate: Gate) -> Doctor:
    return Doctor(
        outside.queue, outside.activity, outside.identity, outside.graph, outside.user_statuses, leases, gate,
        Write(outside.graph, outside.identity, gate, records.tally, outside.telemetry), outside.clock,
        settings.graph_audience.removesuffix("/.default"),
    )  # fmt: skip


def _erase(settings: Settings, outside: Ports) -> Erase:
    return Erase(
        outside.erasures, outside.outcomes, outside.user_statuses, outside.queue, outside.clock, outside.chance,
        settings.outcome_retention,
    )  # fmt: skip


def _purge(settings: Settings, outside: Ports) -> Purge:
    return Purge(
        outside.outcomes, outside.keys, outside.activity, outside.erasures, outside.clock, settings.outcome_retention
    )


def _quota(settings: Settings) -> Quota:
    return Quota(settings.write_quota.count, int(settings.write_quota.seconds * 1000))


def several_at_a_time(threads: ThreadPoolExecutor) -> Each:
    """Calls on these threads; a single one stays on its own."""

    def each[T, R](call: Callable[[T], R], items: Iterable[T]) -> list[R]:
        all_items = list(items)
        return list(threads.map(call, all_items)) if len(all_items) > 1 else [call(item) for item in all_items]

    return each


class Lazily:
    """One relay a process, built at the first call; a lock, since the first calls come together."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._relay: Relay | None = None

    def __call__(self) -> Relay:
        """The relay."""
        with self._lock:
            if self._relay is None:
                self._relay = build(self._settings)
            return self._relay
