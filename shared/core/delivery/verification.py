"""Whether Graph still shows what an update wrote: Intune calculates these values itself (docs/graph-facts.md#f1).

Only a list that was read whole judges. A value counts as overwritten only where the row says that this update wrote it
last, and that no later write may have landed: so a newer value of the relay's own is never taken for Intune's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from shared.core.basics.timestamp import TICKS_PER_SECOND, ticks
from shared.core.delivery.user_directory import ListPage, ListReading
from shared.core.delivery.user_status import UserStatusRow
from shared.core.intake.update import user_status_key

type Shown = Mapping[str, Any]


class VerificationState(StrEnum):
    """What reading Graph's list back showed of a delivered update."""

    CONFIRMED = "confirmed"
    OVERWRITTEN = "overwritten"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Verification:
    """The verdict and when it was reached; it never changes."""

    state: VerificationState
    checked: datetime


def verdict(update_id: str, row: UserStatusRow | None, shown: Sequence[Shown]) -> VerificationState | None:
    """Return what the list's entries of a user status say of an update; None where it is too early to say.

    ``row`` was read after the list. Values that a newer update has written since are not this update's any more.
    """
    if not shown or row is None:
        return VerificationState.UNKNOWN
    own = {name: value.value for name, value in row.confirmed.items() if value.update_id == update_id}
    certain = own.keys() - row.uncertain
    if any(all(_differs(name, own[name], entry) for entry in shown) for name in certain):
        return VerificationState.OVERWRITTEN
    return VerificationState.CONFIRMED if len(certain) == len(own) else None


def _differs(name: str, written: str | int | None, entry: Shown) -> bool:
    """Return whether Graph shows another value; what it does not show, or what was erased, is no other value."""
    if written is None or name not in entry:
        return False
    shown = entry[name]
    if shown == written or not isinstance(shown, str) or not isinstance(written, str):
        return bool(shown != written)
    match name:
        case "lastReportedDateTime":
            return _are_apart(ticks(shown), ticks(written))
        case "userPrincipalName":
            return shown.lower() != written.lower()
        case _:
            return True


def _are_apart(shown: int | None, written: int | None) -> bool:
    """Return whether two times differ by a second or more: Graph shows them in UTC, and may round them."""
    return shown is None or written is None or abs(shown - written) >= TICKS_PER_SECOND


class StatusReading:
    """A policy's list that is being read for some updates: their user statuses' entries alone are kept.

    ``updates`` are the ids of the updates, ``begun`` is when the reading began.
    """

    def __init__(self, policy_id: str, keys: Iterable[str], updates: Iterable[str], begun: datetime) -> None:
        self.updates, self.begun, self.page_at = frozenset(updates), begun, begun
        self.pages = ListReading()
        self._policy_id = policy_id
        self._shown: dict[str, list[Shown]] = {key: [] for key in keys}

    @property
    def is_over(self) -> bool:
        """Whether no more pages are read."""
        return self.pages.is_over

    @property
    def is_whole(self) -> bool:
        """Whether the list was read to its end."""
        return self.pages.is_over and self.pages.next_link is None and not self.pages.directory().too_large

    def add(self, document: Mapping[str, Any] | None, now: datetime) -> str | None:
        """Take in the next page. Return why the list cannot be read; None where it can."""
        value = document.get("value") if document else None
        link = document.get("@odata.nextLink") if document else None
        if not isinstance(value, list) or not (link is None or isinstance(link, str)):
            return "it is no list"
        entries = [
            (entry["id"], entry) for entry in value if isinstance(entry, dict) and isinstance(entry.get("id"), str)
        ]
        for id_, entry in entries:
            key = user_status_key(self._policy_id, id_)
            if key in self._shown:
                self._shown[key].append(entry)
        self.page_at = now
        return self.pages.add(ListPage(tuple((id_, id_) for id_, _ in entries), link, len(value)))

    def shown(self, key: str) -> Sequence[Shown]:
        """Return the list's entries of a user status, by its key."""
        return self._shown[key]
