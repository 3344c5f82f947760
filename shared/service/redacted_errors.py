"""Bugs, and what nobody thought of, by name and place alone: their words may hold what an update said."""

import functools
from collections.abc import Callable

from shared.service.ports.storage import Conflict, Unavailable


class RedactedError(Exception):
    """Named like what was raised, and raised where that was."""


def redacted(error: Exception) -> RedactedError:
    """The same for whoever logs it: its name and its traceback."""
    return RedactedError(type(error).__name__).with_traceback(error.__traceback__)


def redacts_errors[**P, R](call: Callable[P, R]) -> Callable[P, R]:
    """For what the host calls: it logs whatever it gets. ``Unavailable`` and ``Conflict`` have words of ours."""

    @functools.wraps(call)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except (Unavailable, Conflict):
            raise
        except Exception as error:  # noqa: BLE001 - the boundary: see above
            raise redacted(error) from None

    return called
