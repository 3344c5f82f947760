"""Errors without their words: a message of a bug, or of a library, may hold what an update says about a person.

What leaves a function is logged here, since the host sends no exception of queue and timer functions to Application
Insights while the app sends its own telemetry (docs/graph-facts.md#f77).
"""

import functools
import logging
from collections.abc import Callable

from shared.service.ports.storage import Conflict, Unavailable

log = logging.getLogger(__name__)


class RedactedError(Exception):
    """The base of what stands for another error: named like it, raised where it was, without its words."""


def redacted(error: Exception) -> RedactedError:
    """Return an error of the same name and traceback, whose only word is that name."""
    name = type(error).__name__
    kind = type(name, (RedactedError,), {"__module__": type(error).__module__})
    stand_in: RedactedError = kind(name)
    return stand_in.with_traceback(error.__traceback__)


def redacts_errors[**P, R](call: Callable[P, R]) -> Callable[P, R]:
    """Log whatever a queue or timer function raises, and raise it again without its words.

    ``Unavailable`` and ``Conflict`` keep their words: those are the relay's own.
    """

    @functools.wraps(call)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except (Unavailable, Conflict) as error:
            log.exception("function failed", extra={"reason": str(error)})
            raise
        except Exception as error:  # the boundary: whatever happens, the host learns of it without personal data
            stand_in = redacted(error)
            log.error("function failed", exc_info=stand_in)  # noqa: TRY400 - the error itself has words
            raise stand_in from None

    return called
