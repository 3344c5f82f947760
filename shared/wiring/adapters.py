"""Settings become ports: storage, Graph, identity, telemetry, time and randomness.

Every instance needs the SDKs, so this module loads them when the app starts.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.adapters.graph import GraphClient
from shared.adapters.identity import ManagedIdentity
from shared.adapters.storage_clients import StorageClients
from shared.adapters.storage_queue import StorageQueue
from shared.adapters.storage_tables.audit_table import AuditTable
from shared.adapters.storage_tables.counter_table import CounterTable
from shared.adapters.storage_tables.erasure_table import ErasureTable
from shared.adapters.storage_tables.idempotency_table import IdempotencyTable
from shared.adapters.storage_tables.outcome_table import OutcomeTable
from shared.adapters.storage_tables.pause_table import BrakeTable, PauseTable
from shared.adapters.storage_tables.rate_limit_table import RateLimitTable
from shared.adapters.storage_tables.table import Table
from shared.adapters.storage_tables.user_status_table import UserStatusTable
from shared.adapters.system import SystemClock, SystemRandomness, call_later
from shared.service.ports import storage
from shared.service.ports.audit import AuditStore
from shared.service.ports.graph import Graph, Identity
from shared.service.ports.notices import NoticeReceiver
from shared.service.ports.pauses import BrakeStore, PauseStore
from shared.service.ports.runtime import Clock, Randomness
from shared.service.ports.telemetry import NoTelemetry, Telemetry
from shared.settings import Settings

USER_AGENT = "ComplianceStatusRelay/1.0"
#: As many threads as a worker may have: no call waits for a connection (docs/graph-facts.md#f41).
CONNECTIONS = 32
#: SDKs that log each of their calls, URL included.
_VERBOSE_LOGGERS = ("azure.core", "azure.identity")


@dataclass(frozen=True)
class Ports:
    """Everything outside the app, by role."""

    queue: storage.UpdateQueue
    bulk_queue: storage.UpdateQueue
    notices: storage.UpdateQueue
    notice_receivers: Mapping[str, NoticeReceiver]
    outcomes: storage.OutcomeStore
    user_statuses: storage.UserStatusStore
    rate_limit: storage.RateLimitStore
    idempotency_keys: storage.IdempotencyStore
    counters: storage.CounterStore
    erasures: storage.ErasureStore
    audit: AuditStore
    pauses: PauseStore
    brake: BrakeStore
    graph: Graph
    identity: Identity
    clock: Clock
    randomness: Randomness
    sleep: Callable[[float], Awaitable[None]]
    call_later: Callable[[float, Callable[[], None]], None]
    telemetry: Telemetry


def connect(settings: Settings, **instead: Any) -> Ports:
    """Return the real adapters; ``instead`` names ports to use in place of them (``queue=``, ``graph=``)."""
    for name in _VERBOSE_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    now = instead.get("clock", SystemClock()).now
    make = _storage(settings, now) | {
        "clock": SystemClock,
        "randomness": SystemRandomness,
        "sleep": lambda: asyncio.sleep,
        "call_later": lambda: call_later,
        "telemetry": lambda: _telemetry(settings),
        "notice_receivers": lambda: _notice_receivers(settings, now),
        "identity": lambda: ManagedIdentity(scope=settings.graph_audience, client_id=settings.client_id, clock=now),
        "graph": lambda: _graph(settings, now),
    }
    return Ports(**{name: instead[name] if name in instead else made() for name, made in make.items()})


def _storage(settings: Settings, now: Callable[[], datetime]) -> dict[str, Callable[[], Any]]:
    clients = StorageClients(
        connection_string=settings.storage.connection_string,
        queue_service_uri=settings.storage.queue_service_uri,
        table_service_uri=settings.storage.table_service_uri,
        credential=settings.storage.credential,
        client_id=settings.storage.client_id,
        connections=CONNECTIONS,
        clock=now,
    )

    def table(name: str) -> Table:
        return Table(clients.table(settings.table_prefix + name))

    return {
        "queue": lambda: StorageQueue(clients.queue(settings.queue)),
        "bulk_queue": lambda: StorageQueue(clients.queue(settings.bulk_queue)),
        "notices": lambda: StorageQueue(clients.queue(settings.notices_queue)),
        "outcomes": lambda: OutcomeTable(table("Outcomes"), table("OpenHours")),
        "user_statuses": lambda: UserStatusTable(table("UserStatuses")),
        "rate_limit": lambda: RateLimitTable(table("Pacing")),
        "idempotency_keys": lambda: IdempotencyTable(table("IdempotencyKeys")),
        "counters": lambda: CounterTable(table("Activity")),
        "erasures": lambda: ErasureTable(table("Erasures")),
        "audit": lambda: AuditTable(table("Audit")),
        "pauses": lambda: PauseTable(table("Pauses")),
        "brake": lambda: BrakeTable(table("Pauses")),
    }


def _graph(settings: Settings, now: Callable[[], datetime]) -> GraphClient:
    return GraphClient(
        root=settings.graph_root,
        api_version=settings.graph_api_version,
        timeout_seconds=settings.graph_timeout_seconds,
        pool_size=CONNECTIONS,
        user_agent=USER_AGENT,
        clock=now,
        new_guid=lambda: str(uuid.uuid4()),
    )


def _notice_receivers(settings: Settings, now: Callable[[], datetime]) -> Mapping[str, NoticeReceiver]:
    """Return the receivers of ``NOTICES``; without that setting nothing of them is loaded."""
    if not settings.notices:
        return {}
    from shared.wiring.notice_receivers import notice_receivers

    return notice_receivers(settings, now, USER_AGENT)


def _telemetry(settings: Settings) -> Telemetry:
    """Return Application Insights where there is a connection string; its SDK takes a second to load."""
    if settings.telemetry is None:
        return NoTelemetry()
    from shared.adapters.azure_monitor import azure_monitor

    return azure_monitor(
        settings.telemetry,
        sign_in=settings.telemetry_sign_in,
        client_id=settings.client_id,
        queue=settings.queue,
        graph_root=f"{settings.graph_root}/{settings.graph_api_version}",
    )
