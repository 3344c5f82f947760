"""Who is who in a policy: its user statuses by principal name, read from Graph page by page and kept for a while.

Reading costs no write quota, but keeps to the shared hold and reports what Graph asks for. One thread of a process
reads a policy at a time; a long list is read over several turns. Everything is bounded: pages and seconds of a turn,
entries of a list, lists that are kept, and how often an unknown name or a fault may cause another read.
"""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.reply_kind import ReplyKind
from shared.core.delivery.retry import is_success, wants_new_token
from shared.core.delivery.user_directory import (
    MAX_ENTRIES,
    Choice,
    Directory,
    Found,
    ListReading,
    NotUnique,
    may_refuse_select,
    read_list_page,
)
from shared.service.ports.graph import Graph, GraphCall, Identity
from shared.service.ports.runtime import Clock
from shared.service.ports.telemetry import GraphOperation, Telemetry
from shared.service.rate_limiter import Deferred, RateLimiter

#: What was found is good for this long.
KEPT = timedelta(minutes=5)
#: A name that is not in a list as young as this is not listed.
RECENT = timedelta(seconds=15)
#: What fails is not read again at once: from one second, doubled with each fault in a row, to this.
_MAX_PAUSE_SECONDS = 15
#: One turn reads this much of a list, then another message may have the thread.
MAX_PAGES_A_TURN, MAX_SECONDS_A_TURN = 50, 20
MAX_POLICIES = 50
#: As long as a thread waits for another that reads the same policy.
_PATIENCE_SECONDS = 5.0
_COME_BACK = timedelta(seconds=2)


@dataclass(frozen=True)
class ListUnavailable:
    """The list could not be read; ``call`` is the answer of Graph, where it was this turn that got it."""

    reply: GraphReply
    call: GraphCall | None = None


@dataclass
class _Policy:
    """What is known of one policy; changed only by the thread that holds ``reading``."""

    reading: Lock = field(default_factory=Lock)
    directory: Directory = field(default_factory=Directory)
    read_at: datetime | None = None
    pages: ListReading = field(default_factory=ListReading)
    page_at: datetime | None = None
    fault: GraphReply | None = None
    faults: int = 0
    pause_until: datetime | None = None

    def known(self, name: str, now: datetime) -> Choice | ListUnavailable | None:
        """Return what is known without a call."""
        choice = self.directory.find(name) if _is_within(KEPT, self.read_at, now) else None
        if isinstance(choice, Found) or (isinstance(choice, NotUnique) and not choice.passing):
            return choice
        if self.fault is not None and self.pause_until is not None and now < self.pause_until:
            return ListUnavailable(self.fault)
        return choice if _is_within(RECENT, self.read_at, now) else None

    def entries(self) -> int:
        """Return how many are kept."""
        return len(self.directory.ids) + self.pages.entries


def _is_within(span: timedelta, then: datetime | None, now: datetime) -> bool:
    return then is not None and now - then < span


LIST = GraphOperation("GET", "/deviceManagement/deviceCompliancePolicies/{deviceCompliancePolicyId}/userStatuses")


class UserDirectories:
    """One per process; its methods may be called from any thread."""

    def __init__(
        self, graph: Graph, identity: Identity, rate_limiter: RateLimiter, clock: Clock, telemetry: Telemetry
    ) -> None:
        self._graph, self._identity, self._rate_limiter, self._clock = graph, identity, rate_limiter, clock
        self._telemetry = telemetry
        self._select = True
        self._lock = Lock()
        self._policies: OrderedDict[str, _Policy] = OrderedDict()

    def find(self, policy_id: str, name: str) -> Choice | ListUnavailable | Deferred:
        """Return the user status of that name; ``Deferred`` when it is not known yet. Raise ``IdentityUnavailable``."""
        policy = self._policy(policy_id.lower())
        known = policy.known(name, self._clock.now())
        if known is not None:
            return known
        with _reader(policy) as ours:
            if not ours:
                return Deferred(self._clock.now() + _COME_BACK)
            # Whoever read meanwhile may have found it.
            return policy.known(name, self._clock.now()) or self._read(policy, policy_id, name)

    def known(self, policy_id: str, name: str) -> str | None:
        """Return the user status of that name where a kept list holds it; no call is made and nothing is kept."""
        with self._lock:
            policy = self._policies.get(policy_id.lower())
        choice = policy.known(name, self._clock.now()) if policy is not None else None
        return choice.user_status_id if isinstance(choice, Found) else None

    def _policy(self, policy_id: str) -> _Policy:
        with self._lock:
            policy = self._policies.setdefault(policy_id, _Policy())
            self._policies.move_to_end(policy_id)
            entries = 0
            for kept, (key, policy_) in enumerate(reversed(list(self._policies.items()))):
                entries += policy_.entries()
                if kept and (kept >= MAX_POLICIES or entries > MAX_ENTRIES):
                    del self._policies[key]
            return policy

    def _read(self, policy: _Policy, policy_id: str, name: str) -> Choice | ListUnavailable | Deferred:
        later = self._rate_limiter.wait_while_held()
        if later is not None:
            return later
        begun = self._clock.now()
        if not _is_within(KEPT, policy.page_at, begun):
            policy.pages = ListReading()
        token = self._identity.token()
        for _ in range(MAX_PAGES_A_TURN):
            answer, token = self._page(policy_id, policy.pages.next_link, token)
            page = read_list_page(answer.reply.result)
            why = policy.pages.add(page) if page is not None else "it is no list"
            if why is not None:
                return self._failed(policy, answer, why)
            policy.page_at = self._clock.now()
            if policy.pages.is_over:
                return self._complete(policy).find(name)
            if policy.page_at - begun >= timedelta(seconds=MAX_SECONDS_A_TURN):
                break
        return Deferred(self._clock.now())

    def _page(self, policy_id: str, link: str | None, token: str) -> tuple[GraphCall, str]:
        answer = self._asked(policy_id, link, token, select=self._select)
        if wants_new_token(answer.reply):
            token = self._identity.fresh_token(token)
            answer = self._asked(policy_id, link, token, select=self._select)
        if link is None and self._select and may_refuse_select(answer.reply):
            whole = self._asked(policy_id, link, token, select=False)
            if is_success(whole.reply):
                self._select, answer = False, whole
        return answer, token

    def _asked(self, policy_id: str, link: str | None, token: str, *, select: bool) -> GraphCall:
        with self._telemetry.call(LIST, ()) as answered:
            answer = self._graph.list_user_statuses(policy_id, link, select=select, token=token)
            answered(answer)
        return answer

    def _complete(self, policy: _Policy) -> Directory:
        policy.directory = policy.pages.directory()
        policy.read_at, policy.pages, policy.fault, policy.faults = self._clock.now(), ListReading(), None, 0
        return policy.directory

    def _failed(self, policy: _Policy, answer: GraphCall, why: str) -> ListUnavailable:
        reply = answer.reply
        if is_success(reply):
            reply = replace(reply, result=None, message=why, judged=ReplyKind.UNREADABLE_SUCCESS)
        pause = min(1 << min(policy.faults, 10), _MAX_PAUSE_SECONDS)
        policy.fault, policy.faults = reply, policy.faults + 1
        policy.pause_until = self._clock.now() + timedelta(seconds=pause)
        # The next read begins with the first page: the link to the next one may have expired.
        policy.pages = ListReading()
        self._rate_limiter.record_read(reply)
        return ListUnavailable(reply, answer)


@contextmanager
def _reader(policy: _Policy) -> Iterator[bool]:
    ours = policy.reading.acquire(timeout=_PATIENCE_SECONDS)
    try:
        yield ours
    finally:
        if ours:
            policy.reading.release()
