"""One in-memory twin per port; the contract suite holds each to what the real thing does."""

import itertools
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.core.basics.trace import Trace
from shared.core.basics.update_id import accepted_at
from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.outcome import Outcome
from shared.core.delivery.statistics import Minutes, hour_of
from shared.core.delivery.user_status import Acceptance, Snapshot, UserStatusRow, graph_properties
from shared.core.erasure.erasure import Erasure
from shared.core.rate_limit import RateLimitState
from shared.service.delivery.deliver import Delivery
from shared.service.ports.graph import GraphCall, IdentityUnavailable
from shared.service.ports.storage import (
    Conflict,
    CounterRow,
    InvalidContinuation,
    KeyReservation,
    OutcomeFilter,
    OutcomePage,
    QueueHead,
    ScanPage,
    StoredErasure,
    StoredOutcome,
    UserStatusEntry,
)
from shared.service.ports.telemetry import Gauges, GraphOperation
from tests.builders import NOW


@dataclass
class SteppedClock:
    """Time that moves when told; a pause moves it."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment

    def pause(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)

    def step(self, **by: float) -> None:
        self.moment += timedelta(**by)


@dataclass
class CountedRandomness:
    """Ids that count up, jitter that is always the same."""

    same: float = 0.5
    count: itertools.count = field(default_factory=itertools.count)

    def bits(self) -> int:
        return next(self.count)

    def jitter(self) -> float:
        return self.same


@dataclass
class Message:
    text: str
    visible: datetime
    inserted: datetime
    number: int
    dequeue_count: int = 0

    def delivery(self) -> Delivery:
        return Delivery(self.text.encode(), f"message-{self.number}", self.inserted, self.dequeue_count)


class MemoryQueue:
    """A queue whose messages hide for a while when they are received, as the host does it."""

    def __init__(self, clock: SteppedClock) -> None:
        self.clock = clock
        self.messages: list[Message] = []
        self._count = itertools.count(1)

    def put(self, text: str, delay: timedelta = timedelta(0)) -> None:
        now = self.clock.now()
        self.messages.append(Message(text, now + max(delay, timedelta(0)), now, next(self._count)))

    def head(self) -> QueueHead:
        now = self.clock.now()
        visible = [message.inserted for message in self.messages if message.visible <= now]
        return QueueHead(len(self.messages), min(visible, default=None))

    def touch(self) -> None:
        pass

    def receive(self) -> Message | None:
        """The next visible message, hidden for ten minutes (F32)."""
        now = self.clock.now()
        for message in sorted(self.messages, key=lambda message: message.visible):
            if message.visible <= now:
                message.visible, message.dequeue_count = now + timedelta(minutes=10), message.dequeue_count + 1
                return message
        return None

    def delete(self, message: Message) -> None:
        self.messages.remove(message)

    def documents(self) -> list[Any]:
        return [json.loads(message.text) for message in self.messages]


class MemoryOutcomes:
    """Outcomes by id, newest first."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Outcome, int]] = {}
        self._lock = threading.Lock()

    def get(self, update_id: str) -> StoredOutcome | None:
        found = self.rows.get(update_id)
        return found and StoredOutcome(found[0], str(found[1]))

    def insert(self, outcome: Outcome) -> bool:
        with self._lock:
            if outcome.id in self.rows:
                return False
            self.rows[outcome.id] = (outcome, 1)
            return True

    def insert_all(self, outcomes: Sequence[Outcome]) -> frozenset[str]:
        return frozenset(outcome.id for outcome in outcomes if not self.insert(outcome))

    def replace(self, outcome: Outcome, etag: str) -> None:
        with self._lock:
            found = self.rows.get(outcome.id)
            if found is None or str(found[1]) != etag:
                raise Conflict
            self.rows[outcome.id] = (outcome, found[1] + 1)

    def list(self, wanted: OutcomeFilter, top: int, continuation: str | None = None) -> OutcomePage:
        if continuation is not None and not continuation.startswith("before-"):
            raise InvalidContinuation
        below = continuation.removeprefix("before-") if continuation else "g"
        matching = [
            outcome
            for update_id, (outcome, _) in sorted(self.rows.items(), reverse=True)
            if update_id < below and _matches(outcome, wanted)
        ]
        found = tuple(replace(one, attempts=(), result=None, raw_message=None) for one in matching[:top])
        return OutcomePage(found, f"before-{found[-1].id}" if len(matching) > top else None)

    def scan(self, wanted: OutcomeFilter, top: int, continuation: str | None = None) -> ScanPage[StoredOutcome]:
        page = self.list(wanted, top, continuation)
        rows = [self.rows[one.id] for one in page.outcomes]
        return ScanPage(tuple(StoredOutcome(outcome, str(etag)) for outcome, etag in rows), page.continuation)

    def purge(self, before: datetime, limit: int) -> int:
        final = [update_id for update_id, (outcome, _) in self.rows.items() if outcome.state.final]
        old = [update_id for update_id in final if accepted_at(update_id) < before][:limit]
        for update_id in old:
            del self.rows[update_id]
        return len(old)


def _matches(outcome: Outcome, wanted: OutcomeFilter) -> bool:
    named = outcome.named
    policy = ((named and named.device_compliance_policy_id) or "").lower()
    pairs = (
        (wanted.device_compliance_policy_id and wanted.device_compliance_policy_id.lower(), policy),
        (wanted.device_compliance_user_status_id, (named and named.device_compliance_user_status_id) or ""),
        (wanted.source, (named and named.source) or ""),
        (wanted.idempotency_key, (named and named.idempotency_key) or ""),
    )
    in_time = (wanted.created_after is None or outcome.created >= wanted.created_after) and (
        wanted.created_before is None or outcome.created < wanted.created_before
    )
    in_state = wanted.states is None or outcome.state in wanted.states
    return in_time and in_state and all(want is None or want == is_ for want, is_ in pairs)


class MemoryUserStatuses:
    """One partition a user status."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[UserStatusRow, int]] = {}
        self.accepted: dict[str, dict[str, Acceptance]] = {}
        self._lock = threading.Lock()

    def register(self, key: str, acceptance: Acceptance) -> None:
        with self._lock:
            self.accepted.setdefault(key, {}).setdefault(acceptance.update_id, acceptance)

    def register_all(self, acceptances: Sequence[tuple[str, Acceptance]]) -> None:
        for key, acceptance in acceptances:
            self.register(key, acceptance)

    def read(self, key: str) -> Snapshot:
        with self._lock:
            row, etag = self.rows.get(key, (None, None))
            accepted = dict(sorted(self.accepted.get(key, {}).items()))
            return Snapshot(row, None if etag is None else str(etag), tuple(accepted.values()), frozenset(accepted))

    def commit(
        self,
        key: str,
        row: UserStatusRow,
        etag: str | None,
        *,
        registered: Iterable[Acceptance] = (),
        settled: Iterable[str] = (),
    ) -> str:
        with self._lock:
            _, there = self.rows.get(key, (None, None))
            news = {one.update_id: one for one in registered}
            if (None if there is None else str(there)) != etag or news.keys() & self.accepted.get(key, {}).keys():
                raise Conflict
            self.rows[key] = (row, (there or 0) + 1)
            self.accepted.setdefault(key, {}).update(news)
            for update_id in settled:
                self.accepted.get(key, {}).pop(update_id, None)
            return str(self.rows[key][1])

    def withdraw(self, key: str, update_id: str) -> None:
        with self._lock:
            self.accepted.get(key, {}).pop(update_id, None)

    def scan(self, top: int, continuation: str | None = None) -> ScanPage[UserStatusEntry]:
        if continuation is not None and not continuation.startswith("after-"):
            raise InvalidContinuation
        above = continuation.removeprefix("after-") if continuation else ""
        with self._lock:
            rows = {
                key: UserStatusEntry(key, row.user_status_id, graph_properties(row.confirmed))
                for key, (row, _) in self.rows.items()
            }
            for key, accepted in self.accepted.items():
                rows |= {f"{key}-{name}": UserStatusEntry(key, None, one.properties) for name, one in accepted.items()}
        names = sorted(name for name in rows if name > above)
        found = tuple(rows[name] for name in names[:top])
        return ScanPage(found, f"after-{names[top - 1]}" if len(names) > top else None)


class MemoryErasures:
    """Erasures by id."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Erasure, int]] = {}
        self._lock = threading.Lock()

    def get(self, erasure_id: str) -> StoredErasure | None:
        found = self.rows.get(erasure_id)
        return found and StoredErasure(found[0], str(found[1]))

    def insert(self, erasure: Erasure) -> str:
        with self._lock:
            if erasure.id in self.rows:
                raise Conflict
            self.rows[erasure.id] = (erasure, 1)
            return "1"

    def replace(self, erasure: Erasure, etag: str) -> str:
        with self._lock:
            found = self.rows.get(erasure.id)
            if found is None or str(found[1]) != etag:
                raise Conflict
            self.rows[erasure.id] = (erasure, found[1] + 1)
            return str(found[1] + 1)

    def open(self, most: int) -> list[StoredErasure]:
        rows = [StoredErasure(one, str(etag)) for _, (one, etag) in sorted(self.rows.items())]
        return [one for one in rows if not one.erasure.state.final][:most]

    def purge(self, before: datetime, limit: int) -> int:
        final = [one for one, _ in self.rows.values() if one.state.final and one.last_action < before][:limit]
        for one in final:
            del self.rows[one.id]
        return len(final)


class MemoryRateLimit:
    """The shared row."""

    def __init__(self) -> None:
        self.pacing, self.etag = RateLimitState(), 0
        self._lock = threading.Lock()

    def read(self) -> tuple[RateLimitState, str | None]:
        with self._lock:
            return self.pacing, str(self.etag) if self.etag else None

    def write(self, pacing: RateLimitState, etag: str | None) -> None:
        with self._lock:
            if (str(self.etag) if self.etag else None) != etag:
                raise Conflict
            self.pacing, self.etag = pacing, self.etag + 1


class MemoryKeys:
    """Idempotency keys."""

    def __init__(self) -> None:
        self.kept: dict[str, KeyReservation] = {}
        self._lock = threading.Lock()

    def reserve(self, scope: str, reservation: KeyReservation) -> KeyReservation:
        with self._lock:
            return self.kept.setdefault(scope, reservation)

    def purge(self, before: datetime, limit: int) -> int:
        old = [scope for scope, kept in self.kept.items() if accepted_at(kept.update_id) < before][:limit]
        for scope in old:
            del self.kept[scope]
        return len(old)


class MemoryCounters:
    """Counts by hour and instance."""

    def __init__(self) -> None:
        self.rows: dict[tuple[datetime, str], Minutes] = {}

    def write(self, hour: datetime, instance: str, minutes: Minutes) -> None:
        self.rows[hour, instance] = minutes

    def read(self, since: datetime) -> list[CounterRow]:
        return [CounterRow(*key, minutes) for key, minutes in sorted(self.rows.items()) if key[0] >= since]

    def touch(self) -> None:
        pass

    def purge(self, before: datetime, limit: int) -> int:
        old = [key for key in self.rows if key[0] < hour_of(before)][:limit]
        for key in old:
            del self.rows[key]
        return len(old)


@dataclass
class Patch:
    policy_id: str
    user_status_id: str
    properties: dict[str, Any]
    token: str
    at: datetime


class ScriptedGraph:
    """Answers with the scripted replies, then with success; keeps what it took."""

    def __init__(self, clock: SteppedClock, *replies: GraphReply) -> None:
        self.clock = clock
        self.replies = list(replies)
        self.calls: list[Patch] = []
        self.state: dict[tuple[str, str], dict[str, Any]] = {}
        self.refuse: Any = None
        self.parse_reply = GraphReply(200)
        self.users: dict[str, list[tuple[str, str]]] = {}
        self.list_replies: list[GraphReply] = []
        self.lists: list[tuple[str, str | None, str]] = []
        self.page_size = 2
        self.reads: list[tuple[str, str]] = []
        self.user_status_reply: GraphReply | None = None

    def patch_user_status(
        self, policy_id: str, user_status_id: str, properties: Mapping[str, Any], *, token: str
    ) -> GraphCall:
        now = self.clock.now()
        self.calls.append(Patch(policy_id, user_status_id, dict(properties), token, now))
        if self.refuse is not None and self.refuse(properties):
            return GraphCall(GraphReply(400, code="BadRequest", message="refused"), now, 7)
        reply = self.replies.pop(0) if self.replies else GraphReply(200)
        if reply.status_code is not None and reply.status_code < 300:
            kept = self.state.setdefault((policy_id, user_status_id), {})
            kept.update(properties)
            reply = replace(reply, result={"id": user_status_id} | kept)
        return GraphCall(reply, now, 7)

    def read_policies(self, *, token: str) -> GraphCall:
        return GraphCall(self.parse_reply, self.clock.now(), 7)

    def list_user_statuses(self, policy_id: str, link: str | None = None, *, token: str) -> GraphCall:
        self.lists.append((policy_id, link, token))
        if self.list_replies:
            return GraphCall(self.list_replies.pop(0), self.clock.now(), 7)
        at = int(link.removeprefix("from-")) if link else 0
        users = self.users.get(policy_id, [])
        value = [{"id": one, "userPrincipalName": name} for one, name in users[at : at + self.page_size]]
        end = at + self.page_size
        more = {"@odata.nextLink": f"from-{end}"} if end < len(users) else {}
        return GraphCall(GraphReply(200, result={"value": value} | more), self.clock.now(), 7)

    def read_user_status(self, policy_id: str, user_status_id: str, *, token: str) -> GraphCall:
        self.reads.append((policy_id, user_status_id))
        if self.user_status_reply is not None:
            return GraphCall(self.user_status_reply, self.clock.now(), 7)
        kept = self.state.get((policy_id, user_status_id))
        reply = (
            GraphReply(404, code="ResourceNotFound")
            if kept is None
            else GraphReply(200, result={"id": user_status_id} | kept)
        )
        return GraphCall(reply, self.clock.now(), 7)


@dataclass
class ScriptedIdentity:
    """A token, another one after each rejection, or none."""

    fault: str | None = None
    number: int = 1
    issued: str | None = None

    def token(self) -> str:
        if self.fault:
            raise IdentityUnavailable(self.fault)
        return self.issued or f"token-{self.number}"

    def fresh_token(self, rejected: str) -> str:
        if self.fault:
            raise IdentityUnavailable(self.fault)
        if rejected == f"token-{self.number}":
            self.number += 1
        return f"token-{self.number}"


@dataclass
class Alarms:
    """What is to be called later; a test decides when."""

    calls: list[Callable[[], None]] = field(default_factory=list)

    def __call__(self, seconds: float, call: Callable[[], None]) -> None:
        self.calls.append(call)

    def ring(self) -> None:
        calls, self.calls = self.calls, []
        for call in calls:
            call()


@dataclass
class Span:
    name: str
    update_id: str
    trace: Trace
    context: str


class RecordedTelemetry:
    """What was told; contexts count up, each in the trace of its parent."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.calls: list[tuple[GraphOperation, tuple[str, ...], GraphCall]] = []
        self.outcomes: list[Outcome] = []
        self.sights: list[Gauges] = []
        self._count = itertools.count(1)

    def put(self, update_id: str, trace: Trace, /) -> Any:
        return self._span("put", update_id, trace)

    def turn(self, update_id: str, attempt: int, trace: Trace, /) -> Any:
        return self._span(f"turn {attempt}", update_id, trace)

    @contextmanager
    def call(self, call: GraphOperation, carried: Iterable[str], /) -> Iterator[Callable[[GraphCall], None]]:
        links = tuple(carried)
        yield lambda answer: self.calls.append((call, links, answer))

    def outcome_changed(self, outcome: Outcome, /) -> None:
        self.outcomes.append(outcome)

    def watch(self, look: Callable[[], Gauges], /) -> None:
        self.sights.append(look())

    @contextmanager
    def _span(self, name: str, update_id: str, trace: Trace) -> Iterator[str]:
        number = next(self._count)
        trace_id = trace.parent.split("-")[1] if trace.parent else f"{number:032x}"
        context = f"00-{trace_id}-{number:016x}-01"
        self.spans.append(Span(name, update_id, trace, context))
        yield context
