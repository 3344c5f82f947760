"""What surrounds every HTTP handler: the caller may call it, and whatever happens inside, the caller gets an answer.

Nothing internal is in an answer.
"""

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.service.ports.storage import InvalidContinuation, Unavailable
from shared.service.redacted_errors import redacted
from shared.web.authorization import ANYONE, NEEDED
from shared.web.response import Problem, problem

log = logging.getLogger(__name__)

_STORAGE_RETRY_SECONDS = 5
_UNAVAILABLE = Problem("storageUnavailable", "The relay cannot reach its storage.", retry_after=_STORAGE_RETRY_SECONDS)
_NO_CONTINUATION = Problem("invalidQuery", "The continuation is none that this API gave.")
_UNEXPECTED = Problem("unexpected", "Something went wrong here; the relay's logs say what.")


def endpoint[**P](handler: Callable[P, func.HttpResponse]) -> Callable[P, func.HttpResponse]:
    """Let in the callers whom the table of authorization names; turn what the handler raises into problem details.

    The handler is a method whose last positional argument is the request. Unless anyone may call it, its object has
    ``callers``.
    """
    authorize = _authorize(handler.__name__)

    @functools.wraps(handler)
    def answered(*args: P.args, **kwargs: P.kwargs) -> func.HttpResponse:
        try:
            authorize(args)
            return handler(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the boundary: see _explained
            return _explained(error, args)

    return answered


def async_endpoint[**P](
    handler: Callable[P, Awaitable[func.HttpResponse]],
) -> Callable[P, Awaitable[func.HttpResponse]]:
    """Do the same for a handler on the event loop."""
    authorize = _authorize(handler.__name__)

    @functools.wraps(handler)
    async def answered(*args: P.args, **kwargs: P.kwargs) -> func.HttpResponse:
        try:
            authorize(args)
            return await handler(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the boundary: see _explained
            return _explained(error, args)

    return answered


def _authorize(operation: str) -> Callable[[tuple[Any, ...]], None]:
    """Return what checks the caller of a handler. Raise ``KeyError``, at import, for one that the table lacks."""
    if NEEDED[operation] is ANYONE:
        return lambda _: None
    return lambda args: args[0].callers.authorize(operation, args[-1])


def _explained(error: Exception, args: tuple[Any, ...]) -> func.HttpResponse:
    """Return the answer for an exception; a bug of ours must not reach the host, nor its words the caller."""
    instance = urlsplit(args[-1].url).path
    match error:
        case Problem():
            return problem(error, instance)
        case InvalidContinuation():
            return problem(_NO_CONTINUATION, instance)
        case Unavailable():
            log.error("storage unavailable", extra={"reason": str(error)})
            return problem(_UNAVAILABLE, instance)
        case _:
            log.error("unexpected", exc_info=redacted(error))
            return problem(_UNEXPECTED, instance)
