"""Everything outside, as the settings say: storage, Graph, identity, time and chance."""

import asyncio
import logging
import random
import secrets
import threading
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.adapters.graph import Graph
from shared.adapters.identity import ManagedIdentity
from shared.adapters.storage_clients import StorageClients
from shared.adapters.storage_queue import StorageQueue
from shared.adapters.storage_tables.activity_table import ActivityTable
from shared.adapters.storage_tables.erasure_table import ErasureTable
from shared.adapters.storage_tables.idempotency_table import IdempotencyTable
from shared.adapters.storage_tables.outcome_table import OutcomeTable
from shared.adapters.storage_tables.pacing_table import PacingTable
from shared.adapters.storage_tables.table import Table
from shared.adapters.storage_tables.user_status_table import UserStatusTable
from shared.service import ports
from shared.service.erasure_store import ErasureStore
from shared.service.telemetry import Silent, Telemetry
from shared.settings import Settings

USER_AGENT = "ComplianceStatusRelay/1.0"
#: As many threads as the worker may have (F41): no call waits for a connection.
CONNECTIONS = 32
#: SDKs that write a line or two about each of their calls, URL included.
_TALKATIVE = ("azure.core", "azure.identity")


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        """In UTC."""
        return datetime.now(UTC)

    def pause(self, seconds: float) -> None:
        """Hold this thread."""
        time.sleep(seconds)


class SystemChance:
    """The machine's randomness."""

    def bits(self) -> int:
        """For one id."""
        return secrets.randbits(74)

    def jitter(self) -> float:
        """From 0 up to, not including, 1."""
        return random.random()  # noqa: S311 - spreads retries, guards nothing


@dataclass(frozen=True)
class Ports:
    """Everything outside."""

    queue: ports.UpdateQueue
    outcomes: ports.OutcomeStore
    user_statuses: ports.UserStatusStore
    pacing: ports.PacingStore
    keys: ports.IdempotencyStore
    activity: ports.ActivityStore
    erasures: ErasureStore
    graph: ports.Graph
    identity: ports.Identity
    clock: ports.Clock
    chance: ports.Chance
    sleep: Callable[[float], Awaitable[None]]
    later: Callable[[float, Callable[[], None]], None]
    telemetry: Telemetry


def _later(seconds: float, call: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()


def _telemetry(settings: Settings) -> Telemetry:
    """Application Insights by the connection string; loaded only where there is one, since it takes a second."""
    if settings.telemetry is None:
        return Silent()
    from shared.adapters.azure_monitor import azure_monitor  # noqa: PLC0415 - see above

    return azure_monitor(
        settings.telemetry,
        sign_in=settings.telemetry_sign_in,
        client_id=settings.client_id,
        queue=settings.queue,
        graph_root=f"{settings.graph_root}/{settings.graph_api_version}",
    )


def connect(settings: Settings, **instead: Any) -> Ports:
    """The real adapters, where nothing else is given."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    storage = StorageClients(
        connection_string=settings.storage.connection_string,
        queue_service_uri=settings.storage.queue_service_uri,
        table_service_uri=settings.storage.table_service_uri,
        credential=settings.storage.credential,
        client_id=settings.storage.client_id,
        connections=CONNECTIONS,
    )

    def table(name: str) -> Table:
        return Table(storage.table(settings.table_prefix + name))

    make: dict[str, Callable[[], Any]] = {
        "clock": SystemClock,
        "chance": SystemChance,
        "queue": lambda: StorageQueue(storage.queue(settings.queue)),
        "outcomes": lambda: OutcomeTable(table("Outcomes")),
        "user_statuses": lambda: UserStatusTable(table("UserStatuses")),
        "pacing": lambda: PacingTable(table("Pacing")),
        "keys": lambda: IdempotencyTable(table("IdempotencyKeys")),
        "activity": lambda: ActivityTable(table("Activity")),
        "erasures": lambda: ErasureTable(table("Erasures")),
        "sleep": lambda: asyncio.sleep,
        "later": lambda: _later,
        "telemetry": lambda: _telemetry(settings),
        "identity": lambda: ManagedIdentity(scope=settings.graph_audience, client_id=settings.client_id),
        "graph": lambda: Graph(
            root=settings.graph_root,
            api_version=settings.graph_api_version,
            timeout_seconds=settings.graph_timeout_seconds,
            pool_size=CONNECTIONS,
            user_agent=USER_AGENT,
            clock=instead.get("clock", SystemClock()).now,
            new_guid=lambda: str(uuid.uuid4()),
        ),
    }
    return Ports(**{name: instead[name] if name in instead else made() for name, made in make.items()})
