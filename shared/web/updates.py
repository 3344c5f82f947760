"""The calls that are about one update, or list them: request in, use case, answer out."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.audit import Action
from shared.core.basics.strict_json import Fault
from shared.core.basics.trace import Origin
from shared.core.basics.update_id import is_update_id
from shared.core.delivery.outcome import Outcome, State
from shared.core.delivery.outcome_filter import FILTERS, PAGING
from shared.core.delivery.resource import resource
from shared.core.intake.limits import MAX_MESSAGE_BYTES
from shared.service.audit import Audit
from shared.service.delivery.cancel import Cancel, TooLate
from shared.service.intake.accept import Accept, Accepted
from shared.service.intake.idempotency import KeyConflict
from shared.service.intake.replay import NotReplayable, Replay
from shared.service.ports.runtime import Clock
from shared.service.ports.storage import OutcomeStore
from shared.web.caller import Callers
from shared.web.endpoint import async_endpoint, endpoint
from shared.web.openapi.operations import (
    APPLIED,
    BODY_FAULTS,
    FOLLOWED,
    ID,
    KEY,
    LOCATED,
    PREFER,
    SECONDS,
    as_json,
    body,
    header,
    link,
    operation,
    parameter,
)
from shared.web.openapi.schemas import EXAMPLE, EXAMPLE_BY_NAME, Schema, ref
from shared.web.paging import page_response
from shared.web.query import list_query, replay_filter
from shared.web.request import json_body, origin_of, preferred_wait, read_update
from shared.web.response import Problem, json_response
from shared.web.waiting import Waiting

#: How soon a caller may ask again about an update that waits for its turn.
ASK_AGAIN_SECONDS = 2
_PATH = "/updates"
_ROUTE = f"/api{_PATH}"
_TAG = "Updates"
_RESOURCE = ref("UpdateResource")
_NOT_FOUND = Problem("notFound", "There is no such update.")


@dataclass(frozen=True)
class UpdatesApi:
    """The HTTP API of updates over its use cases."""

    accept: Accept
    cancel: Cancel
    replay: Replay
    audit: Audit
    outcomes: OutcomeStore
    clock: Clock
    callers: Callers
    waiting: Waiting

    @async_endpoint
    async def post_update(self, request: func.HttpRequest, *, invocation: str | None = None) -> func.HttpResponse:
        """Accept an update.

        It is on the queue before the answer. A repeated request, by its idempotency key, gets the first one's update.
        """
        wait = preferred_wait(request)
        accepted = await self.waiting.in_time(lambda: self._accepted(request, origin_of(request, invocation)))
        outcome = await self.waiting.until_final(accepted.outcome, wait)
        repeated = {"Idempotency-Replayed": "true"} if accepted.repeated else {}
        return self._where(200 if outcome.state.final else 202, outcome, request, repeated | _applied(wait))

    @async_endpoint
    async def get_update(self, request: func.HttpRequest) -> func.HttpResponse:
        """Return an update.

        With `Retry-After` while it is not final.
        """
        wait, update_id = preferred_wait(request), _id(request)
        stored = await self.waiting.in_time(lambda: self.outcomes.get(update_id))
        if stored is None:
            raise _NOT_FOUND
        self.callers.authorize_reading(stored.outcome.submitted_by, request)
        outcome = await self.waiting.until_final(stored.outcome, wait)
        return json_response(200, resource(outcome), self._ask_again(outcome) | _applied(wait) | {"Vary": "Prefer"})

    @endpoint
    def cancel_update(self, request: func.HttpRequest) -> func.HttpResponse:
        """Cancel an update.

        It will not be sent. 409 where it is final already, or on its way to Graph.
        """
        update_id, by = _id(request), self.callers.principal(request)
        canceled = self.audit.of(Action.CANCEL, update_id, lambda: self.cancel(update_id), by=by)
        if canceled is None:
            raise _NOT_FOUND
        if isinstance(canceled, TooLate):
            raise Problem("tooLate", canceled.why)
        return json_response(200, resource(canceled))

    @endpoint
    def replay_update(self, request: func.HttpRequest, *, invocation: str | None = None) -> func.HttpResponse:
        """Replay an update that failed or was canceled.

        It becomes a new update, with the version of the old one, once.
        """
        update_id, by, origin = _id(request), self.callers.principal(request), origin_of(request, invocation)
        replay = partial(self.replay, update_id, submitted_by=by, origin=origin)
        replayed = self.audit.of(Action.REPLAY, update_id, replay, by=by)
        if replayed is None:
            raise _NOT_FOUND
        if isinstance(replayed, NotReplayable):
            raise Problem("notReplayable", replayed.why)
        return self._where(202, replayed, request, {})

    @endpoint
    def replay_updates(self, request: func.HttpRequest, *, invocation: str | None = None) -> func.HttpResponse:
        """Replay failed and canceled updates by filter.

        Each at most once, and as many as one call takes. With `dryRun` they are only counted.
        """
        wanted, dry_run = replay_filter(json_body(request, MAX_MESSAGE_BYTES))
        by, origin = self.callers.principal(request), origin_of(request, invocation)
        replay = partial(self.replay.some, wanted, submitted_by=by, dry_run=dry_run, origin=origin)
        if dry_run:
            return json_response(200, {"matched": replay().matched})
        done = self.audit.of(Action.REPLAY, None, replay, by=by)
        return json_response(202, {"matched": done.matched, "replayed": done.replayed, "remaining": done.remaining})

    @endpoint
    def list_updates(self, request: func.HttpRequest) -> func.HttpResponse:
        """List updates, newest first.

        A page may hold fewer than `top`. `nextLink` leads to the next page and is missing on the last.
        """
        wanted, top, continuation = list_query(request)
        page = self.outcomes.list(wanted, top, continuation)
        value = [resource(outcome, whole=False) for outcome in page.outcomes]
        return page_response(request, self.callers.base(request) + _ROUTE, value, page.continuation)

    def _accepted(self, request: func.HttpRequest, origin: Origin) -> Accepted:
        update = read_update(request, self.clock.now())
        accepted = self.accept(update, submitted_by=self.callers.principal(request), origin=origin)
        if isinstance(accepted, KeyConflict):
            fault = Fault("/idempotencyKey", "belongs to another payload")
            raise Problem("idempotencyKeyConflict", "The idempotency key was used with another payload.", (fault,))
        return accepted

    def _where(
        self, status: int, outcome: Outcome, request: func.HttpRequest, headers: dict[str, str]
    ) -> func.HttpResponse:
        location = f"{self.callers.base(request)}{_ROUTE}/{outcome.id}"
        where = {"Location": location, "Operation-Location": location}
        return json_response(status, resource(outcome), where | self._ask_again(outcome) | headers)

    def _ask_again(self, outcome: Outcome) -> dict[str, str]:
        if outcome.state.final:
            return {}
        due = outcome.next_attempt if outcome.state is State.WAITING else None
        left = 0 if due is None else math.ceil((due - self.clock.now()).total_seconds())
        return {"Retry-After": str(max(ASK_AGAIN_SECONDS, left))}


def _id(request: func.HttpRequest) -> str:
    update_id = str(request.route_params["id"]).lower()
    if not is_update_id(update_id):
        raise _NOT_FOUND
    return update_id


def _applied(wait: int | None) -> dict[str, str]:
    return {} if wait is None else {"Preference-Applied": f"wait={wait}"}


_FOLLOW = link("getUpdate", "What becomes of the update.")
_LIST = [parameter(name, rule, "query", str(rule["description"])) for name, rule in (FILTERS | PAGING).items()]
_READ_HEADERS: Schema = {"Retry-After": SECONDS, **APPLIED, "Vary": header("`Prefer`.")}
_CANCELED = as_json(_RESOURCE, "It will not be sent.")
_REPLAYED = as_json(_RESOURCE, "The new update.", FOLLOWED, **_FOLLOW)


def _about_one(handler: Any, answers: Mapping[int, Schema]) -> Schema:
    return operation(handler, _TAG, answers, 404, 409, parameters=[ID])


OPERATIONS: Final[Mapping[str, Mapping[str, Schema]]] = {
    _PATH: {
        "post": operation(
            UpdatesApi.post_update,
            _TAG,
            {
                202: as_json(_RESOURCE, "The update is on the queue.", LOCATED, **_FOLLOW),
                200: as_json(_RESOURCE, "The update is final already.", LOCATED, **_FOLLOW),
            },
            *BODY_FAULTS,
            422,
            parameters=[KEY, PREFER],
            requestBody=body(
                ref("Update"),
                {"documented": EXAMPLE, "byPrincipalName": EXAMPLE_BY_NAME},
                cloudevents=ref("CloudEvent"),
            ),
        ),
        "get": operation(
            UpdatesApi.list_updates, _TAG, {200: as_json(ref("UpdateList"), "A page.")}, 400, parameters=_LIST
        ),
    },
    f"{_PATH}/replay": {
        "post": operation(
            UpdatesApi.replay_updates,
            _TAG,
            {
                200: as_json(ref("ReplayCount"), "With `dryRun`: how many match."),
                202: as_json(ref("Replayed"), "As many are replayed as one call takes."),
            },
            *BODY_FAULTS,
            requestBody=body(ref("ReplayFilter"), {"dry": {"status": "failed", "dryRun": True}}),
        ),
    },
    f"{_PATH}/{{id}}": {
        "get": operation(
            UpdatesApi.get_update,
            _TAG,
            {200: as_json(_RESOURCE, "The update.", _READ_HEADERS)},
            404,
            parameters=[ID, PREFER],
        ),
    },
    f"{_PATH}/{{id}}/cancel": {"post": _about_one(UpdatesApi.cancel_update, {200: _CANCELED})},
    f"{_PATH}/{{id}}/replay": {"post": _about_one(UpdatesApi.replay_update, {202: _REPLAYED})},
}
