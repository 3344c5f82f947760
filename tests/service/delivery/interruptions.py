"""Deaths, and what others do, in the middle of a turn."""

from collections.abc import Callable
from typing import Any

from tests.world import World


class Died(BaseException):
    """The process ends here."""


def dying(world: World, port: str, method: str, *, after: bool) -> None:
    """Let the next call of that method be the last one."""
    fake = getattr(world, port)
    inner = getattr(fake, method)

    def die(*args: Any, **kwargs: Any) -> Any:
        setattr(fake, method, inner)
        if after:
            inner(*args, **kwargs)
        raise Died

    setattr(fake, method, die)


def hooked(world: World, port: str, method: str, then: Callable[[], None], *, before: bool = False) -> None:
    """Let something happen right after (or before) the next call of that method."""
    fake = getattr(world, port)
    inner = getattr(fake, method)

    def call(*args: Any, **kwargs: Any) -> Any:
        setattr(fake, method, inner)
        if before:
            then()
        answer = inner(*args, **kwargs)
        if not before:
            then()
        return answer

    setattr(fake, method, call)
