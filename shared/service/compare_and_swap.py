"""Changing what others may change too: read, change, write, and again where someone was faster."""

from collections.abc import Callable

from shared.service.ports.storage import Conflict

#: Several writers of one row make each other try again; more tries than this mean a fault.
MAX_TRIES = 10


def compare_and_swap[V, E](
    read: Callable[[], tuple[V, E]],
    change: Callable[[V], V],
    write: Callable[[V, E], None],
    *,
    between: Callable[[], None] = lambda: None,
    tries: int = MAX_TRIES,
) -> V:
    """Write ``change`` of what ``read`` returns and return it; call ``between`` before each further try.

    ``write`` raises ``Conflict`` when the value is no longer the one that was read. A value that was written although
    the answer said otherwise (the storage SDK repeats a call whose answer was lost) is recognised at the next read.
    Raise ``Conflict`` after the last try.
    """
    wanted: V | None = None
    for tries_left in reversed(range(tries)):
        current, etag = read()
        if current == wanted:
            return current
        wanted = change(current)
        if wanted == current:
            return current
        try:
            write(wanted, etag)
        except Conflict:
            if not tries_left:
                raise
            between()
        else:
            return wanted
    raise AssertionError(tries)


def until_no_conflict[T](attempt: Callable[[], T], *, tries: int = MAX_TRIES) -> T:
    """Return what ``attempt`` returns, called again after each ``Conflict``. Raise the last one."""
    for _ in range(tries - 1):
        try:
            return attempt()
        except Conflict:
            continue
    return attempt()
