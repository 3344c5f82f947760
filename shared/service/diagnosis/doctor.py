"""Looking for what keeps the relay from its work, as the app itself: a finding and a next step for each check.

Each check stands alone, so that one that hangs hides no other. The probe of the PATCH obeys the rules of a turn: a slot
of the quota, the lease of its user status, and only the values that Graph has just said to hold.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shared.core.basics.access_token import WRITE_ROLE, Claims, read_claims
from shared.core.basics.version import Version
from shared.core.delivery.reply_kind import ReplyKind
from shared.core.delivery.retry import is_success, may_still_land
from shared.core.delivery.user_status import Lease, UserStatusRow, Value
from shared.core.intake.update import user_status_key
from shared.core.intake.update_schema import PROPERTIES
from shared.service.delivery.lease import Claim, Leases
from shared.service.delivery.write import Permit, Write
from shared.service.diagnosis.checks import (
    CLOUD,
    GRANT,
    NETWORK,
    NOT_ROUTED,
    TRY_AGAIN,
    CheckResult,
    CheckStatus,
    failing,
    ok,
    refused,
    unknown,
)
from shared.service.ports.graph import Graph, Identity, IdentityUnavailable
from shared.service.ports.runtime import Randomness
from shared.service.ports.storage import Conflict, CounterStore, Denied, Unavailable, UpdateQueue, UserStatusStore
from shared.service.rate_limiter import Deferred, RateLimiter

#: Names in the order in which they are told; those of one check are told together.
QUEUE, TABLES, TOKEN, READ, WRITE = "queue", "tables", "identity, tokenAudience, graphRole", "graphRead", "graphWrite"
_ME = "doctor"
_OLDEST = Version(0, _ME)


@dataclass(frozen=True)
class ProbeTarget:
    """The user status whose PATCH is to be tried."""

    policy_id: str
    user_status_id: str


@dataclass(frozen=True)
class Doctor:
    """The checks; ``graph_root`` is the cloud's own, whatever address is used instead."""

    queue: UpdateQueue
    counters: CounterStore
    identity: Identity
    graph: Graph
    user_statuses: UserStatusStore
    leases: Leases
    rate_limiter: RateLimiter
    write: Write
    randomness: Randomness
    graph_root: str

    def checks(self, asked: ProbeTarget | None) -> Mapping[str, Callable[[], Sequence[CheckResult]]]:
        """Each answers for its names."""
        return {
            QUEUE: lambda: [_storage(QUEUE, self.queue.touch, "Storage Queue Data Contributor")],
            TABLES: lambda: [_storage(TABLES, self.counters.touch, "Storage Table Data Contributor")],
            TOKEN: self._token,
            READ: lambda: [self._with_token(READ, self._read)],
            WRITE: lambda: [self._with_token(WRITE, lambda token: self._tried(asked, token)) if asked else _NOT_ASKED],
        }

    def _token(self) -> Sequence[CheckResult]:
        names = TOKEN.split(", ")
        try:
            token = self.identity.token()
        except IdentityUnavailable as error:
            first = failing(
                names[0],
                f"No token can be had ({error}).",
                "Turn the app's managed identity on; for a user-assigned one set AZURE_CLIENT_ID to its client id.",
            )
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
            return unknown(name, "The relay's storage did not let it be tried.", "Mend queue and tables first.")

    def _read(self, token: str) -> CheckResult:
        reply = self.graph.read_policies(token=token).reply
        if is_success(reply):
            return ok(READ, "Compliance policies can be read.")
        return refused(READ, reply, has_role=_has_role(token))

    def _tried(self, asked: ProbeTarget, token: str) -> CheckResult:
        with self.rate_limiter.slot() as slot:
            if isinstance(slot, Deferred):
                return unknown(WRITE, "All writes are held back: Graph asked for it, or is failing.", TRY_AGAIN)
            return self._leased(asked, Permit(slot, token))

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
            said = "operationNotSupported: not even the GET of one user status has a route, so nothing was sent."
            return failing(WRITE, said, NOT_ROUTED), False
        there = (is_success(read) and read.result) or {}
        values = {name: Value(there[name], _OLDEST, _ME) for name in PROPERTIES if type(there.get(name)) in (str, int)}
        if not values:
            return refused(WRITE, read, has_role=_has_role(token)), False
        written = self.write(claim, values, permit, update_id=_ME)
        if not written.calls:
            return unknown(WRITE, "All writes are held back.", TRY_AGAIN), False
        reply = written.reply
        if is_success(reply):
            return ok(WRITE, "The service takes this PATCH: the user status' own values were sent back."), False
        return refused(WRITE, reply, has_role=_has_role(token)), may_still_land(reply)


_BUSY = unknown(WRITE, "Updates of this user status wait or are on their way.", TRY_AGAIN)
_NOT_ASKED = CheckResult(
    WRITE,
    CheckStatus.SKIPPED,
    "Not asked for.",
    "To try the PATCH, name deviceCompliancePolicyId and deviceComplianceUserStatusId: its own values are sent back.",
)


def late(name: str, seconds: float) -> Sequence[CheckResult]:
    """The findings of a check that did not end in time."""
    step = NETWORK if name in (TOKEN, READ) else _STORAGE_NETWORK
    verdict = CheckStatus.UNKNOWN if name == WRITE else CheckStatus.FAILING
    said = f"No answer within {seconds:g} seconds."
    return [CheckResult(one, verdict, said, TRY_AGAIN if name == WRITE else step) for one in name.split(", ")]


_STORAGE_NETWORK = (
    "Check UPDATES_STORAGE (or UPDATES_STORAGE__queueServiceUri and __tableServiceUri), and that the storage account's "
    "firewall lets the app in."
)


def _storage(name: str, touch: Callable[[], None], role: str) -> CheckResult:
    try:
        touch()
    except Denied:
        step = f"Assign the app's identity the role {role} on the storage account, or mend the connection string's key."
        return failing(name, "Storage answers, but refuses the app.", step)
    except Unavailable as error:
        return failing(name, f"Storage cannot be reached ({error}).", _STORAGE_NETWORK)
    return ok(name, "Written to.")


def _role(name: str, claims: Claims | None) -> CheckResult:
    if claims is None:
        return unknown(name, "The token cannot be read.", "See graphRead: it says whether Graph lets the app read.")
    if WRITE_ROLE in claims.roles:
        return ok(name, f"The token carries {WRITE_ROLE}.")
    return failing(name, f"The token does not carry {WRITE_ROLE}.", GRANT)


def _has_role(token: str) -> bool:
    claims = read_claims(token)
    return claims is not None and WRITE_ROLE in claims.roles
