"""The progress of a long step, as its steps report it."""

from typing import Protocol


class Progress(Protocol):
    """A display of steps."""

    def step(self, name: str, done: int, total: int | None) -> None:
        """Show how much of a step is done; ``total`` is None while it is unknown."""
        ...
