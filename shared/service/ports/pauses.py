"""What the use cases need of the stores of pauses and of the brake."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.core.pause import BrakeCount, Pause


@dataclass(frozen=True)
class StoredPause:
    """A pause as the store holds it; ``etag`` guards the next replacement."""

    pause: Pause
    etag: str


class PauseStore(Protocol):
    """Pauses, and the updates that each of them holds. Raises ``Unavailable``."""

    def list(self) -> Sequence[StoredPause]:
        """Return every pause, ended ones that are kept for a while too, oldest first."""
        ...

    def get(self, pause_id: str) -> StoredPause | None:
        """Return one; None where there is none."""
        ...

    def insert(self, pause: Pause) -> bool:
        """Return whether it was inserted; False, and nothing changed, where there is one of that id."""
        ...

    def replace(self, pause: Pause, etag: str) -> None:
        """Replace it. Raise ``Conflict`` when it is no longer the one that was read."""

    def delete(self, pause_id: str) -> None:
        """Delete it; there or not."""

    def hold(self, pause_id: str, update_id: str) -> None:
        """Note that the pause holds this update; noted before or not."""

    def held(self, pause_id: str, top: int) -> Sequence[str]:
        """Return the first of the updates that it holds, in the order of their acceptance."""
        ...

    def held_count(self, pause_id: str) -> int:
        """Return how many updates it holds."""
        ...

    def release(self, pause_id: str, update_id: str) -> None:
        """Forget that the pause holds this update; noted or not."""


class BrakeStore(Protocol):
    """The counted writes of each status that has a brake. Raises ``Unavailable``."""

    def read(self, status: str) -> tuple[BrakeCount, str | None]:
        """Return the count and its etag; no writes and no etag before the first."""
        ...

    def write(self, status: str, count: BrakeCount, etag: str | None) -> None:
        """Replace the count. Raise ``Conflict`` when it is no longer the one that was read."""
