"""The row of an erasure while a slice works on it: written before and after each redaction.

What is about to be redacted is counted first, by etag; then it is redacted; then the row moves on. If the process dies
in between, the next slice finds the same place and counts nothing twice. Of two slices at the same time one loses the
row to the other.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.core.erasure.erasure import Erasure, Progress, counted, going_on
from shared.core.erasure.subject import Subject
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import ErasureStore


@dataclass
class ErasureSession:
    """The erasure as last written, ``calls`` that this slice has left, and ``until`` when it may make them.

    Every change raises ``Conflict`` when another slice has changed the row.
    """

    store: ErasureStore
    clock: Clock
    erasure: Erasure
    etag: str
    calls: int
    until: datetime

    @property
    def spent(self) -> bool:
        """Return whether no calls or no time are left."""
        return self.calls <= 0 or self.clock.now() >= self.until

    @property
    def subject(self) -> Subject:
        """Return whom it is about."""
        assert self.erasure.subject is not None  # noqa: S101 - only a final erasure has none
        return self.erasure.subject

    @property
    def progress(self) -> Progress:
        """Return its progress as last written."""
        return self.erasure.progress

    def spend(self, calls: int = 1) -> None:
        """Count storage calls that were made elsewhere."""
        self.calls -= calls

    def count(self, *, updates: int = 0, user_statuses: int = 0, **progress: Any) -> None:
        """Write what is about to be redacted; ``progress`` are the changed fields of its progress."""
        self.put(counted(self.erasure, self.clock.now(), updates=updates, user_statuses=user_statuses, **progress))

    def go_on(self, **progress: Any) -> None:
        """Write how far it has come; ``progress`` are the changed fields of its progress."""
        self.put(going_on(self.erasure, self.clock.now(), **progress))

    def wait(self) -> None:
        """Write that there is nothing to do now: this puts the erasure behind the others."""
        self.put(replace(self.erasure, last_action=self.clock.now()))

    def put(self, erasure: Erasure) -> None:
        """Replace the row."""
        self.spend()
        self.etag = self.store.replace(erasure, self.etag)
        self.erasure = erasure
