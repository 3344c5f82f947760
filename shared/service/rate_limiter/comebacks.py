"""When updates that wait for their policy's outage come back from the queue."""

from threading import Lock

from shared.core.rate_limit import Quota
from shared.core.rate_limit.state import MAX_POLICIES

_MAX_LINE = 600_000


class Comebacks:
    """One update comes back at the end of each pause, for the probe; the others behind each other in the quota's pace.

    So many waiting updates cost few messages a second, and are spread already when the outage ends.
    """

    def __init__(self, quota: Quota) -> None:
        self._spacing = max(1, quota.window // quota.count)
        self._lock = Lock()
        self._lines: dict[str, tuple[int, int]] = {}

    def next(self, policy_id: str, pause_until: int, opens: int) -> int:
        """Return the moment for one more update; ``opens`` is the first one at which the next probe may go out."""
        with self._lock:
            pause, last = self._lines.pop(policy_id, (0, 0))
            if last > opens + _MAX_LINE:
                last = opens
            when = opens
            if pause == pause_until:
                when = last = max(opens, last) + self._spacing
            self._lines[policy_id] = (pause_until, last)
            if len(self._lines) > MAX_POLICIES:
                del self._lines[next(iter(self._lines))]
            return when
