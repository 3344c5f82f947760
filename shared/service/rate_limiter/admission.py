"""What one turn may use of the quota: a slot at a time, and a limited time to wait for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.core.rate_limit import Slot


@dataclass(frozen=True)
class Deferred:
    """Nothing may be written before then: the update goes back to the queue."""

    when: datetime


@dataclass(frozen=True)
class RouteMissing:
    """Graph has no route for the write: the update fails without a call."""


class Slots(Protocol):
    """Where slots come from."""

    def acquire(self, admission: "Admission") -> Slot | Deferred | RouteMissing:
        """Wait for a slot."""

    def wait_until_open(self, admission: "Admission", slot: Slot) -> bool:
        """Wait until a slot opens; return False when it cannot be used any more."""

    def release(self, slot: Slot) -> None:
        """Take back a slot that was not used."""


class Admission:
    """One turn's slot. All calls of the turn share the time limit ``give_up_at`` (milliseconds since 1970).

    ``bulk``: it waits in the bulk lane. ``past_latch``: it is let through although Graph has no route. ``used`` is the
    slot of the last call: where that was a probe, the turn's next call belongs to the same probe. ``ready``: nothing is
    left to do before the call.
    """

    def __init__(
        self, slots: Slots, policy_id: str, *, give_up_at: int, past_latch: bool = False, bulk: bool = False
    ) -> None:
        self.policy_id, self.give_up_at, self.past_latch, self.bulk = policy_id, give_up_at, past_latch, bulk
        self.used: Slot | None = None
        self.ready = False
        self._slots = slots
        self._slot: Slot | None = None

    def acquire(self) -> Slot | Deferred | RouteMissing:
        """Return the slot that this turn holds; wait for one where it holds none."""
        if self._slot is not None:
            return self._slot
        answer = self._slots.acquire(self)
        if isinstance(answer, Slot):
            self._slot = answer
        return answer

    def wait_until_open(self) -> bool:
        """Wait until the slot opens, and use it up: the call has to start now.

        Return False when it cannot be used any more or a hold came up; then acquire another one.
        """
        slot, self._slot = self._slot, None
        self.ready = True
        if slot is None or not self._slots.wait_until_open(self, slot):
            return False
        self.used = slot
        return True

    def release(self) -> None:
        """Give back a slot that was not used."""
        slot, self._slot = self._slot, None
        if slot is not None:
            self._slots.release(slot)
