"""Settings become adapters, adapters become use cases; the only place that knows everyone.

``build`` makes a relay, any part of it replaced on demand; ``Lazily`` makes the app's one relay, once, at first use.
"""

import os
import random
import secrets
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.adapters.graph import Graph
from shared.adapters.identity import ManagedIdentity
from shared.adapters.storage_clients import StorageClients
from shared.adapters.storage_queue import StorageQueue
from shared.adapters.storage_tables.idempotency_table import IdempotencyTable
from shared.adapters.storage_tables.outcome_table import OutcomeTable
from shared.adapters.storage_tables.pacing_table import PacingTable
from shared.adapters.storage_tables.table import Table
from shared.adapters.storage_tables.user_status_table import UserStatusTable
from shared.core.decision import RetryPolicy
from shared.core.pacing import Quota
from shared.service import ports
from shared.service.accept import Accept
from shared.service.cancel import Cancel
from shared.service.deliver import Deliver
from shared.service.end import End
from shared.service.gate import Gate
from shared.service.lease import Leases
from shared.service.poison import Poison
from shared.service.purge import Purge
from shared.service.reconcile import Reconcile
from shared.service.records import Records
from shared.service.sending import Write
from shared.service.settle import Settle
from shared.service.turn import Limits, Turn
from shared.settings import Settings
from shared.web.api import Api

USER_AGENT = "ComplianceStatusRelay/1.0"
#: As many threads as the worker may have (F41): no call waits for a connection.
CONNECTIONS = 32


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
    graph: ports.Graph
    identity: ports.Identity
    clock: ports.Clock
    chance: ports.Chance


@dataclass(frozen=True)
class Relay:
    """The app, wired."""

    ports: Ports
    deliver: Deliver
    poison: Poison
    reconcile: Reconcile
    purge: Purge
    api: Api


def load_settings() -> Settings:
    """The app's settings; raises one message that names all that is wrong with them."""
    return Settings.from_environ(os.environ)


def build(settings: Settings, **instead: Any) -> Relay:
    """A relay by its settings; ``instead`` names ports (``queue=``, ``graph=``) to use in place of the real ones."""
    outside = connect(settings, **instead)
    call = timedelta(seconds=settings.graph_timeout_seconds)
    quota = Quota(settings.write_quota.count, int(settings.write_quota.seconds * 1000))
    gate = Gate(
        outside.pacing, quota, clock=outside.clock, chance=outside.chance,
        call_milliseconds=int(settings.graph_timeout_seconds * 1000),
    )  # fmt: skip
    leases = Leases(outside.user_statuses, outside.clock, call)
    records = Records(outside.outcomes, outside.clock)
    retry = RetryPolicy(settings.retry_base_seconds, settings.retry_max_seconds, settings.write_quota.seconds)
    settle = Settle(outside.queue, outside.user_statuses, records, outside.clock)
    end = End(outside.user_statuses, leases, records, outside.clock)
    turn = Turn(
        user_statuses=outside.user_statuses, leases=leases, records=records, identity=outside.identity, gate=gate,
        write=Write(outside.graph, outside.identity, gate), settle=settle, clock=outside.clock,
        chance=outside.chance, limits=Limits(settings.delivery_deadline, retry),
    )  # fmt: skip
    accept = Accept(outside.queue, outside.user_statuses, outside.outcomes, outside.keys, outside.clock, outside.chance)
    return Relay(
        ports=outside,
        deliver=Deliver(outside.queue, outside.outcomes, outside.keys, records, turn, outside.clock),
        poison=Poison(outside.queue, outside.outcomes, records, end, outside.clock),
        reconcile=Reconcile(outside.queue, outside.outcomes, records, outside.clock, settings.delivery_deadline),
        purge=Purge(outside.outcomes, outside.keys, outside.clock, settings.outcome_retention),
        api=Api(
            accept=accept, cancel=Cancel(records, end, outside.clock), outcomes=outside.outcomes, clock=outside.clock,
            public_base_url=settings.public_base_url,
            trusts_principal=os.environ.get("WEBSITE_AUTH_ENABLED", "").lower() in ("true", "1"),
        ),
    )  # fmt: skip


def connect(settings: Settings, **instead: Any) -> Ports:
    """The real adapters, where nothing else is given."""
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
