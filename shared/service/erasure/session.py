"""The row of an erasure while a slice works on it: written down before and after whatever is blanked.

What is about to be blanked is counted first, by etag; then it is blanked; then the row moves on. Whatever dies in
between, the next slice finds the same place and counts nothing twice. Of two slices at the same time one loses the row
to the other.
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
    """``calls``: how many storage calls this slice has left, and until when it may make them.

    Every change raises ``Conflict`` when the row was lost.
    """

    store: ErasureStore
    clock: Clock
    erasure: Erasure
    etag: str
    calls: int
    until: datetime

    @property
    def spent(self) -> bool:
        """Whether it is time to stop."""
        return self.calls <= 0 or self.clock.now() >= self.until

    @property
    def subject(self) -> Subject:
        """Whom it is about."""
        assert self.erasure.subject is not None  # noqa: S101 - only a final erasure has none
        return self.erasure.subject

    @property
    def progress(self) -> Progress:
        """As last written."""
        return self.erasure.progress

    def spend(self, calls: int = 1) -> None:
        """Storage calls made elsewhere."""
        self.calls -= calls

    def count(self, *, updates: int = 0, user_statuses: int = 0, **progress: Any) -> None:
        """Before blanking."""
        self.put(counted(self.erasure, self.clock.now(), updates=updates, user_statuses=user_statuses, **progress))

    def go_on(self, **progress: Any) -> None:
        """After it."""
        self.put(going_on(self.erasure, self.clock.now(), **progress))

    def wait(self) -> None:
        """Nothing more to do now; having been looked at puts it behind the others."""
        self.put(replace(self.erasure, last_action=self.clock.now()))

    def put(self, erasure: Erasure) -> None:
        """Replace the row."""
        self.spend()
        self.etag = self.store.replace(erasure, self.etag)
        self.erasure = erasure
