"""Deaths, and what others do, in the middle of a turn."""

from collections.abc import Callable
from typing import Any

from tests.world import World


class Died(BaseException):
    """The process ends here."""


def dying(world: World, port: str, method: str, *, after: bool) -> None:
    """Let the next call of that method be the last one."""
    twin = getattr(world, port)
    inner = getattr(twin, method)

    def die(*args: Any, **kwargs: Any) -> Any:
        setattr(twin, method, inner)
        if after:
            inner(*args, **kwargs)
        raise Died

    setattr(twin, method, die)


def hooked(world: World, port: str, method: str, then: Callable[[], None], *, before: bool = False) -> None:
    """Let something happen right after (or before) the next call of that method."""
    twin = getattr(world, port)
    inner = getattr(twin, method)

    def call(*args: Any, **kwargs: Any) -> Any:
        setattr(twin, method, inner)
        if before:
            then()
        answer = inner(*args, **kwargs)
        if not before:
            then()
        return answer

    setattr(twin, method, call)
