"""The ``error`` of updates whose time was over before they were delivered."""

from typing import Final

from shared.core.delivery.outcome import Members

#: The ``error`` of an update that was not sent before its time.
EXPIRED: Final[Members] = {"code": "expired", "message": "The update was not sent before its expiresDateTime."}


def deadline_exceeded(last: Members | None) -> Members:
    """Return the ``error`` of an update that was tried until its deadline, with its last fault."""
    fault = f" The last fault was {last['code']}: {last['message']}" if last else ""
    return {**(last or {}), "code": "deadlineExceeded", "message": f"Not delivered before its deadline.{fault}"[:2048]}
