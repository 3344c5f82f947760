"""What a walk through a whole store yields, page by page."""

from dataclasses import dataclass

from shared.core.user_status import Properties


@dataclass(frozen=True)
class Scan[T]:
    """Some of what a store holds; ``continuation`` leads on, None at the end."""

    found: tuple[T, ...]
    continuation: str | None


@dataclass(frozen=True)
class Holding:
    """What one row about a user status holds: its id (None in an acceptance's row) and values."""

    key: str
    user_status_id: str | None
    properties: Properties
