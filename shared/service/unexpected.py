"""Bugs, and what nobody thought of, by name and place alone: their words may hold what an update said."""

import functools
from collections.abc import Callable

from shared.service.ports import Conflict, Unavailable


class Unexpected(Exception):
    """Named like what was raised, and raised where that was."""


def without_words(error: Exception) -> Unexpected:
    """The same for whoever logs it: its name and its traceback."""
    return Unexpected(type(error).__name__).with_traceback(error.__traceback__)


def raises_without_words[**P, R](call: Callable[P, R]) -> Callable[P, R]:
    """For what the host calls: it logs whatever it gets. ``Unavailable`` and ``Conflict`` have words of ours."""

    @functools.wraps(call)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except (Unavailable, Conflict):
            raise
        except Exception as error:  # noqa: BLE001 - the boundary: see above
            raise without_words(error) from None

    return called
