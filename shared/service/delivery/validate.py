"""Say what would become of a message, without accepting it: reads alone."""

from dataclasses import dataclass
from datetime import UTC, datetime

from shared.core.basics.update_id import new_update_id
from shared.core.delivery.forecast import ahead, delivery_time, would_be_superseded
from shared.core.delivery.user_status import Acceptance, Snapshot
from shared.core.intake.envelope import Envelope
from shared.core.intake.update import Update, user_status_key
from shared.core.intake.update_schema import BULK, NORMAL
from shared.core.rate_limit import Quota
from shared.core.rate_limit.state import plausible
from shared.service.delivery.directories import UserDirectories
from shared.service.delivery.pauses import ActivePauses, holding
from shared.service.ports.runtime import Clock, Randomness
from shared.service.ports.storage import RateLimitStore, UserStatusStore
from shared.service.queues import Queues

_NOTHING = Snapshot()


@dataclass(frozen=True)
class Forecast:
    """What would become of a valid message; ``user_status_id`` is None while its name is not known.

    ``held_by`` is the pause that would hold it. ``delivery`` is when its turn would come.
    """

    user_status_id: str | None
    superseded: bool
    held_by: str | None
    delivery: datetime | None


@dataclass(frozen=True)
class Validate:
    """Four reads of storage at most, no write, and no call to Graph."""

    directories: UserDirectories
    user_statuses: UserStatusStore
    queues: Queues
    rate_limit: RateLimitStore
    active_pauses: ActivePauses
    quota: Quota
    clock: Clock
    randomness: Randomness
    call_milliseconds: int

    def __call__(self, update: Update) -> Forecast:
        """Return what would become of it if it were accepted now. Raise ``Unavailable``."""
        policy_id = update.device_compliance_policy_id
        user_status_id = self._user_status_id(update)
        known = _NOTHING if user_status_id is None else self._known(policy_id, user_status_id)
        would_be = Envelope(new_update_id(self.clock.now(), self.randomness.bits()), 1, update)
        held_by = self._held_by(update)
        return Forecast(
            user_status_id=user_status_id,
            superseded=would_be_superseded(known, Acceptance.of(would_be)),
            held_by=held_by,
            delivery=self._delivery(update) if held_by is None else None,
        )

    def _user_status_id(self, update: Update) -> str | None:
        name = update.user_principal_name
        if name is None:
            return update.device_compliance_user_status_id
        return self.directories.known(update.device_compliance_policy_id, name)

    def _known(self, policy_id: str, user_status_id: str) -> Snapshot:
        return self.user_statuses.read(user_status_key(policy_id, user_status_id))

    def _held_by(self, update: Update) -> str | None:
        """Return the id of the pause that would hold the update; None where none would."""
        pause = holding(self.active_pauses(), update)
        return None if pause is None else pause.id

    def _delivery(self, update: Update) -> datetime:
        now = int(self.clock.now().timestamp() * 1000)
        state = plausible(self.rate_limit.read()[0], now=now, call_milliseconds=self.call_milliseconds)
        heads = self.queues.heads()
        waiting = ahead(heads[NORMAL].length, heads[BULK].length, of_bulk=update.bulk)
        policy_id = update.device_compliance_policy_id
        moment = delivery_time(state, self.quota, policy_id, waiting=waiting, now=now)
        return datetime.fromtimestamp(moment / 1000, UTC)
