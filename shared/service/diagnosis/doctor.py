"""Look for what keeps the relay from its work, as the app itself: a finding and a next step for each check.

Each check stands alone, so that one that hangs hides no other. The probe of the PATCH obeys the rules of a turn: a slot
of the quota, the lease of its user status, and only the values that Graph has just shown.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from shared.core.audit import Action, Result
from shared.core.basics.access_token import WRITE_ROLE, Claims, read_claims
from shared.core.basics.version import Version
from shared.core.delivery.reply_kind import NetworkFault, ReplyKind
from shared.core.delivery.retry import is_success, may_still_land
from shared.core.delivery.statistics import Statistics
from shared.core.delivery.user_status import Lease, UserStatusRow, Value
from shared.core.intake.update import user_status_key
from shared.core.intake.update_schema import PROPERTIES
from shared.core.rate_limit import Slot
from shared.service.audit import Audit
from shared.service.delivery.lease import Claim, Leases
from shared.service.delivery.pauses import ActivePauses
from shared.service.delivery.write import Permit, Write
from shared.service.diagnosis.checks import CheckResult, CheckStatus, failing, ok, unknown
from shared.service.diagnosis.findings import graph_finding, identity_finding, storage_finding
from shared.service.diagnosis.next_steps import (
    CLOUD,
    GRANT,
    GRAPH_TARGET,
    NETWORK,
    NOT_ROUTED,
    STORAGE_AWAY,
    STORAGE_TARGET,
    TRY_AGAIN,
)
from shared.service.diagnosis.pauses import pause_check
from shared.service.diagnosis.verification import verification_check
from shared.service.diagnosis.webhooks import webhook_check
from shared.service.ports.graph import Graph, Identity, IdentityUnavailable
from shared.service.ports.runtime import Randomness
from shared.service.ports.storage import Conflict, CounterStore, Unavailable, UserStatusStore
from shared.service.queues import Queues
from shared.service.rate_limiter import RateLimiter

#: Names in the order in which they are shown; those of one check are shown together.
QUEUE, TABLES, TOKEN, READ, WRITE = "queue", "tables", "identity, tokenAudience, graphRole", "graphRead", "graphWrite"
PAUSES, WEBHOOKS, VERIFICATION = "pauses", "webhooks", "verification"
_ME = "doctor"
_OLDEST = Version(0, _ME)


@dataclass(frozen=True)
class ProbeTarget:
    """The user status whose PATCH is to be tried."""

    policy_id: str
    user_status_id: str


@dataclass(frozen=True)
class Doctor:
    """The checks; ``graph_root`` is the cloud's own, whatever address is used instead.

    ``webhook_sources`` are the names of those configured; without any there is no check of them. Nor is there one of
    verification where nothing is verified (``verify_after`` is None).
    """

    queues: Queues
    counters: CounterStore
    identity: Identity
    graph: Graph
    user_statuses: UserStatusStore
    leases: Leases
    rate_limiter: RateLimiter
    write: Write
    audit: Audit
    active_pauses: ActivePauses
    randomness: Randomness
    graph_root: str
    statistics: Callable[[], Statistics]
    webhook_sources: Collection[str]
    verify_after: timedelta | None = None

    def checks(
        self, asked: ProbeTarget | None, *, by: str | None = None
    ) -> Mapping[str, Callable[[], Sequence[CheckResult]]]:
        """Return the checks, each by the names of its findings; ``by`` is the caller, for the audit of the probe."""
        counted: dict[str, Callable[[], Sequence[CheckResult]]] = {}
        if self.webhook_sources:
            counted[WEBHOOKS] = lambda: [self._counted(WEBHOOKS, partial(webhook_check, sources=self.webhook_sources))]
        if (after := self.verify_after) is not None:
            counted[VERIFICATION] = lambda: [self._counted(VERIFICATION, partial(verification_check, after=after))]
        return {
            QUEUE: lambda: [_storage(QUEUE, self.queues.touch, "Storage Queue Data Contributor")],
            TABLES: lambda: [_storage(TABLES, self.counters.touch, "Storage Table Data Contributor")],
            TOKEN: self._token,
            READ: lambda: [self._with_token(READ, self._read)],
            WRITE: lambda: [self._probe(asked, by) if asked else _NOT_ASKED],
            PAUSES: lambda: [self._pauses()],
            **counted,
        }

    def _pauses(self) -> CheckResult:
        try:
            return pause_check(PAUSES, self.active_pauses())
        except Unavailable:
            return unknown(PAUSES, "The relay's storage did not give its pauses.", "Mend queue and tables first.")

    def _counted(self, name: str, check: Callable[[str, Statistics], CheckResult]) -> CheckResult:
        try:
            statistics = self.statistics()
        except Unavailable:
            return unknown(name, "The relay's storage did not give its counts.", "Mend queue and tables first.")
        return check(name, statistics)

    def _token(self) -> Sequence[CheckResult]:
        names = TOKEN.split(", ")
        try:
            token = self.identity.token()
        except IdentityUnavailable as error:
            first = identity_finding(names[0], error)
            return [first, *(unknown(name, "There is no token.", "Mend identity first.") for name in names[1:])]
        claims = read_claims(token)
        return [ok(names[0], "A token was obtained."), self._audience(names[1], claims), _role(names[2], claims)]

    def _audience(self, name: str, claims: Claims | None) -> CheckResult:
        if claims is None:
            return unknown(name, "The token cannot be read.", "See graphRead: it says whether Graph takes it.")
        if claims.is_for(self.graph_root):
            return ok(name, "The token is for this cloud's Graph.")
        return failing(name, f"The token is for {claims.audience[:100]}, not for {self.graph_root}.", CLOUD)

    def _with_token(self, name: str, check: Callable[[str], CheckResult]) -> CheckResult:
        try:
            return check(self.identity.token())
        except IdentityUnavailable:
            return unknown(name, "There is no token.", "Mend identity first.")
        except (Unavailable, Conflict):
            return _no_storage(name)

    def _read(self, token: str) -> CheckResult:
        reply = self.graph.read_policies(token=token).reply
        if is_success(reply):
            return ok(READ, "Compliance policies can be read.")
        return graph_finding(READ, reply, token, self.graph_root)

    def _probe(self, asked: ProbeTarget, by: str | None) -> CheckResult:
        """Try the PATCH between the two writes of its audit record."""
        tried = partial(self._with_token, WRITE, lambda token: self._tried(asked, token))
        try:
            return self.audit.of(Action.PROBE, asked.policy_id, tried, by=by, came_of=_came_of)
        except Unavailable:
            return _no_storage(WRITE)

    def _tried(self, asked: ProbeTarget, token: str) -> CheckResult:
        with self.rate_limiter.slot(asked.policy_id, diagnostic=True) as admission:
            if not isinstance(admission.acquire(), Slot):
                return unknown(WRITE, "All writes are held back: Graph asked for it, or is failing.", TRY_AGAIN)
            return self._leased(asked, Permit(admission, token))

    def _leased(self, asked: ProbeTarget, permit: Permit) -> CheckResult:
        key = user_status_key(asked.policy_id, asked.user_status_id)
        snapshot = self.user_statuses.read(key, 1)
        if snapshot.accepted:
            return _BUSY
        blank = UserStatusRow(asked.policy_id, asked.user_status_id)
        claim = self.leases.acquire(key, blank, holder=f"{_ME}-{self.randomness.bits():x}")
        if isinstance(claim, Lease):
            return _BUSY
        finding, may_land = self._patched(asked, claim, permit)
        claim.release(landing=may_land)
        return finding

    def _patched(self, asked: ProbeTarget, claim: Claim, permit: Permit) -> tuple[CheckResult, bool]:
        """Return what came of it, and whether the write may yet land: then the lease has to run out."""
        token = permit.token
        read = self.graph.read_user_status(asked.policy_id, asked.user_status_id, token=token).reply
        if read.kind is ReplyKind.ROUTE_MISSING:
            detail = "operationNotSupported: not even the GET of one user status has a route, so nothing was sent."
            return failing(WRITE, detail, NOT_ROUTED), False
        there = (is_success(read) and read.result) or {}
        values = {name: Value(there[name], _OLDEST, _ME) for name in PROPERTIES if type(there.get(name)) in (str, int)}
        if not values:
            return graph_finding(WRITE, read, token, self.graph_root), False
        written = self.write(claim, values, permit, update_id=_ME)
        if not written.calls:
            return unknown(WRITE, "All writes are held back.", TRY_AGAIN), False
        reply = written.reply
        if is_success(reply):
            return ok(WRITE, "The service takes this PATCH: the user status' own values were sent back."), False
        return graph_finding(WRITE, reply, token, self.graph_root), may_still_land(reply)


_BUSY = unknown(WRITE, "Updates of this user status wait or are on their way.", TRY_AGAIN)
_NOT_ASKED = CheckResult(
    WRITE,
    CheckStatus.SKIPPED,
    "Not asked for.",
    "To try the PATCH, name deviceCompliancePolicyId and deviceComplianceUserStatusId: its own values are sent back.",
)


def _came_of(probe: CheckResult) -> Result:
    """Return what the audit says of a probe; one that was held back was refused."""
    return {CheckStatus.OK: Result.SUCCEEDED, CheckStatus.FAILING: Result.FAILED}.get(probe.status, Result.REFUSED)


def _no_storage(name: str) -> CheckResult:
    return unknown(name, "The relay's storage did not let it be tried.", "Mend queue and tables first.")


def late(name: str, seconds: float) -> Sequence[CheckResult]:
    """Return the findings of a check that did not end in time; it marks itself alone as failing."""
    first, *others = name.split(", ")
    detail = f"No answer within {seconds:g} seconds."
    if name == WRITE:
        return [unknown(first, detail, TRY_AGAIN)]
    dependent = [unknown(other, "There is no token yet.", "Mend identity first.") for other in others]
    return [failing(first, detail, _LATE[name]), *dependent]


_LATE = {
    QUEUE: STORAGE_AWAY.format(**STORAGE_TARGET),
    TABLES: STORAGE_AWAY.format(**STORAGE_TARGET),
    PAUSES: STORAGE_AWAY.format(**STORAGE_TARGET),
    TOKEN: "The platform's identity endpoint is slow: try again; if it lasts, restart the app.",
    READ: NETWORK[NetworkFault.NO_ANSWER].format(**GRAPH_TARGET),
}


def _storage(name: str, touch: Callable[[], None], role: str) -> CheckResult:
    try:
        touch()
    except Unavailable as error:
        return storage_finding(name, error, role)
    return ok(name, "Written to.")


def _role(name: str, claims: Claims | None) -> CheckResult:
    if claims is None:
        return unknown(name, "The token cannot be read.", "See graphRead: it says whether Graph lets the app read.")
    if WRITE_ROLE in claims.roles:
        return ok(name, f"The token carries {WRITE_ROLE}.")
    return failing(name, f"The token does not carry {WRITE_ROLE}.", GRANT)
