"""The rim of the HTTP face: whatever happens inside, the caller gets an answer, and nothing internal is in it."""

import functools
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.service.ports import Unavailable
from shared.web.answers import Problem, problem

log = logging.getLogger(__name__)

_STORAGE_RETRY_SECONDS = 5


def answers_problems[**P](handler: Callable[P, func.HttpResponse]) -> Callable[P, func.HttpResponse]:
    """Turn what a handler raises into problem details; the request is its last argument."""

    @functools.wraps(handler)
    def answered(*args: P.args, **kwargs: P.kwargs) -> func.HttpResponse:
        instance = urlsplit(_request(args).url).path
        try:
            return handler(*args, **kwargs)
        except Problem as fault:
            return problem(fault, instance)
        except Unavailable as fault:
            log.error("storage unavailable", extra={"reason": str(fault)})  # noqa: TRY400 - an outage, no bug
            return problem(_UNAVAILABLE, instance)
        except Exception:  # the boundary: a bug of ours must neither reach the host nor tell the caller anything
            log.exception("unexpected")
            return problem(_UNEXPECTED, instance)

    return answered


_UNAVAILABLE = Problem(
    503, "storageUnavailable", "The relay cannot reach its storage.", retry_after=_STORAGE_RETRY_SECONDS
)
_UNEXPECTED = Problem(500, "unexpected", "Something went wrong here; the relay's logs say what.")


def _request(args: tuple[Any, ...]) -> func.HttpRequest:
    return args[-1]  # type: ignore[no-any-return]
