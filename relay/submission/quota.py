"""The relay's write quota, and how long a number of updates takes."""

from dataclasses import dataclass
from datetime import UTC, datetime

from relay.client import ApiError, RelayClient

_BAD_REQUEST = 400
_DEFAULT_WRITES, _DEFAULT_SECONDS = 100.0, 20.0


@dataclass(frozen=True)
class WriteQuota:
    """``writes`` in ``seconds``, and the updates ``queued`` before; ``known`` is False for the default values."""

    writes: float = _DEFAULT_WRITES
    seconds: float = _DEFAULT_SECONDS
    queued: int = 0
    as_of: datetime | None = None
    known: bool = False

    def seconds_for(self, updates: int) -> float:
        """Return the most seconds that the updates take; updates of one user status may share a write."""
        return (updates + self.queued) * self.seconds / self.writes


def read_quota(client: RelayClient) -> WriteQuota:
    """Return the relay's quota, or the default when its statistics cannot be read. Raise ``CommandError``."""
    try:
        stats = client.get("/api/stats").body
    except ApiError as error:
        if error.status in (401, 403) or error.status < _BAD_REQUEST:
            raise
        return WriteQuota()
    try:
        quota, queued = stats["quota"], stats["queue"]["length"] or 0
        as_of = datetime.fromisoformat(stats["asOfDateTime"]).astimezone(UTC)
        return WriteQuota(float(quota["writes"]), float(quota["seconds"]), int(queued), as_of, known=True)
    except (KeyError, TypeError, ValueError):
        return WriteQuota()
