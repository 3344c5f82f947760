"""Adapters become use cases; the only place that knows everyone.

``build`` makes a relay, any part of it replaced on demand; ``Lazily`` makes the app's one relay, once, at first use.
What runs on a timer or on an operator's request is wired apart (``operations``), at its own first use.
"""

import os
import threading
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.core.decision import RetryPolicy
from shared.outside import CONNECTIONS, Ports, connect
from shared.parts import Parts, quota_of
from shared.service.accept import Accept, Each
from shared.service.cancel import Cancel
from shared.service.deliver import Deliver
from shared.service.directories import Directories
from shared.service.end import End
from shared.service.gate import Gate
from shared.service.lease import Leases
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
from shared.web.health import Health, Readiness
from shared.web.many import Batches
from shared.web.waiting import Waiting
from shared.web.webhooks import Webhooks

if TYPE_CHECKING:
    from shared.operations import Operations

#: Of one batch: what a batch gains beyond this, single requests lose.
STORAGE_CALLS_AT_ONCE = 16


@dataclass(frozen=True)
class Relay:
    """The app, wired."""

    ports: Ports
    deliver: Deliver
    api: Api
    batches: Batches
    webhooks: Webhooks
    health: Health
    operations: "Callable[[], Operations]"


def load_settings() -> Settings:
    """The app's settings; raises one message that names all that is wrong with them."""
    return Settings.from_environ(os.environ)


def build(settings: Settings, **instead: Any) -> Relay:
    """A relay by its settings; ``instead`` names ports (``queue=``, ``graph=``) to use in place of the real ones."""
    outside = connect(settings, **instead)
    parts = _parts(settings, outside)
    return Relay(
        ports=outside,
        deliver=_deliver(settings, parts),
        api=Api(
            accept=parts.accept, cancel=Cancel(parts.records, parts.end, outside.clock),
            replay=Replay(outside.outcomes, parts.accept, outside.clock, outside.chance),
            outcomes=outside.outcomes, clock=outside.clock, callers=parts.callers, waiting=parts.waiting,
        ),
        batches=Batches(parts.accept, parts.callers),
        webhooks=Webhooks(parts.accept, settings.webhook_sources),
        health=Health(
            Readiness(outside.queue, outside.activity, outside.identity, outside.graph), parts.waiting, outside.clock
        ),
        operations=Once(lambda: _operations(settings, parts)),
    )  # fmt: skip


def _parts(settings: Settings, outside: Ports) -> Parts:
    tally = Tally(outside.activity, outside.clock, uuid.uuid4().hex, outside.later)
    records = Records(outside.outcomes, outside.clock, tally, outside.telemetry)
    leases = Leases(outside.user_statuses, outside.clock, timedelta(seconds=settings.graph_timeout_seconds))
    gate = _gate(settings, outside)
    return Parts(
        outside=outside, tally=tally, records=records, leases=leases, gate=gate,
        end=End(outside.user_statuses, leases, records, outside.clock),
        write=Write(outside.graph, outside.identity, gate, tally, outside.telemetry),
        accept=Accept(
            outside.queue, outside.user_statuses, records, outside.keys, outside.clock, outside.chance,
            several_at_a_time(ThreadPoolExecutor(STORAGE_CALLS_AT_ONCE, "storage")), outside.telemetry,
        ),
        waiting=Waiting(outside.outcomes, outside.clock, ThreadPoolExecutor(CONNECTIONS, "http"), outside.sleep),
        callers=Callers(settings.public_base_url, os.environ.get("WEBSITE_AUTH_ENABLED", "").lower() in ("true", "1")),
    )  # fmt: skip


def _operations(settings: Settings, parts: Parts) -> "Operations":
    from shared.operations import operations  # noqa: PLC0415 - an instance that only delivers never loads it

    return operations(settings, parts)


def _gate(settings: Settings, outside: Ports) -> Gate:
    return Gate(
        outside.pacing, quota_of(settings), clock=outside.clock, chance=outside.chance,
        call_milliseconds=int(settings.graph_timeout_seconds * 1000),
    )  # fmt: skip


def _deliver(settings: Settings, parts: Parts) -> Deliver:
    outside, records, gate = parts.outside, parts.records, parts.gate
    retry = RetryPolicy(settings.retry_base_seconds, settings.retry_max_seconds, settings.write_quota.seconds)
    limits = Limits(settings.delivery_deadline, retry)
    settle = Settle(outside.queue, outside.user_statuses, records, outside.clock)
    directories = Directories(outside.graph, outside.identity, gate, outside.clock, outside.telemetry)
    resolve = Resolve(
        directories, outside.user_statuses, records, settle, gate, outside.clock, outside.chance, limits
    )  # fmt: skip
    turn = Turn(
        user_statuses=outside.user_statuses, leases=parts.leases, records=records, identity=outside.identity,
        gate=gate, write=parts.write, settle=settle, clock=outside.clock, chance=outside.chance, limits=limits,
    )  # fmt: skip
    return Deliver(outside.queue, outside.keys, records, resolve, turn, outside.clock, outside.telemetry)


def several_at_a_time(threads: ThreadPoolExecutor) -> Each:
    """Calls on these threads; a single one stays on its own."""

    def each[T, R](call: Callable[[T], R], items: Iterable[T]) -> list[R]:
        all_items = list(items)
        return list(threads.map(call, all_items)) if len(all_items) > 1 else [call(item) for item in all_items]

    return each


class Once[T]:
    """One thing a process, made at the first call; a lock, since the first calls come together."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: T | None = None

    def __call__(self) -> T:
        """The thing."""
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made


class Lazily(Once[Relay]):
    """The app's one relay."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(lambda: build(settings))
