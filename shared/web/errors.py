"""The rim of the HTTP face: whatever happens inside, the caller gets an answer, and nothing internal is in it."""

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.service.ports.storage import Unavailable
from shared.service.redacted_errors import redacted
from shared.web.response import Problem, problem

log = logging.getLogger(__name__)

_STORAGE_RETRY_SECONDS = 5


def handles_errors[**P](handler: Callable[P, func.HttpResponse]) -> Callable[P, func.HttpResponse]:
    """Turn what a handler raises into problem details; the request is its last argument."""

    @functools.wraps(handler)
    def answered(*args: P.args, **kwargs: P.kwargs) -> func.HttpResponse:
        try:
            return handler(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the boundary: see _explained
            return _explained(error, args)

    return answered


def handles_errors_async[**P](
    handler: Callable[P, Awaitable[func.HttpResponse]],
) -> Callable[P, Awaitable[func.HttpResponse]]:
    """The same for a handler on the event loop."""

    @functools.wraps(handler)
    async def answered(*args: P.args, **kwargs: P.kwargs) -> func.HttpResponse:
        try:
            return await handler(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the boundary: see _explained
            return _explained(error, args)

    return answered


def _explained(error: Exception, args: tuple[Any, ...]) -> func.HttpResponse:
    """A bug of ours must neither reach the host nor tell the caller anything."""
    instance = urlsplit(args[-1].url).path
    match error:
        case Problem():
            return problem(error, instance)
        case Unavailable():
            log.error("storage unavailable", extra={"reason": str(error)})
            return problem(_UNAVAILABLE, instance)
        case _:
            log.error("unexpected", exc_info=redacted(error))
            return problem(_UNEXPECTED, instance)


_UNAVAILABLE = Problem("storageUnavailable", "The relay cannot reach its storage.", retry_after=_STORAGE_RETRY_SECONDS)
_UNEXPECTED = Problem("unexpected", "Something went wrong here; the relay's logs say what.")
