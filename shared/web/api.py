"""One method a route of contract section 4: request in, use case, answer out."""

import math
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode, urlsplit

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.event import parse_message
from shared.core.outcome import Outcome, State
from shared.core.resource import resource
from shared.core.strict_json import Fault, InvalidMessage
from shared.core.update_id import is_update_id
from shared.service.accept import Accept, KeyConflict
from shared.service.cancel import Cancel, TooLate
from shared.service.ports import Clock, InvalidContinuation, OutcomeStore
from shared.web.answers import Problem, answer
from shared.web.boundary import answers_problems
from shared.web.requests_in import LARGEST_MESSAGE, json_body, malformed, outcome_filter, with_key

#: How soon a caller may ask again about an update that waits for its turn.
ASK_AGAIN_SECONDS = 2
_ROUTE = "/api/updates"


@dataclass(frozen=True)
class Api:
    """The HTTP API over its use cases; ``trusts_principal`` where App Service authentication is on."""

    accept: Accept
    cancel: Cancel
    outcomes: OutcomeStore
    clock: Clock
    public_base_url: str | None
    trusts_principal: bool

    @answers_problems
    def post_update(self, request: func.HttpRequest) -> func.HttpResponse:
        """``POST /api/updates``."""
        update = parse_message(json_body(request, LARGEST_MESSAGE))
        if isinstance(update, InvalidMessage):
            raise malformed(update)
        accepted = self.accept(with_key(update, request), submitted_by=self._principal(request))
        if isinstance(accepted, KeyConflict):
            fault = Fault("/idempotencyKey", "belongs to another payload")
            raise Problem(422, "idempotencyKeyConflict", "The idempotency key was used with another payload.", (fault,))
        repeated = {"Idempotency-Replayed": "true"} if accepted.repeated else {}
        status = 200 if accepted.outcome.state.final else 202
        return self._update(status, accepted.outcome, request, repeated)

    @answers_problems
    def get_update(self, request: func.HttpRequest) -> func.HttpResponse:
        """``GET /api/updates/{id}``."""
        update_id = request.route_params["id"].lower()
        stored = self.outcomes.get(update_id) if is_update_id(update_id) else None
        if stored is None:
            raise Problem(404, "notFound", "There is no such update.")
        return answer(200, resource(stored.outcome), self._ask_again(stored.outcome))

    @answers_problems
    def cancel_update(self, request: func.HttpRequest) -> func.HttpResponse:
        """``POST /api/updates/{id}/cancel``."""
        update_id = request.route_params["id"].lower()
        canceled = self.cancel(update_id) if is_update_id(update_id) else None
        if canceled is None:
            raise Problem(404, "notFound", "There is no such update.")
        if isinstance(canceled, TooLate):
            raise Problem(409, "tooLate", canceled.why)
        return answer(200, resource(canceled))

    @answers_problems
    def list_updates(self, request: func.HttpRequest) -> func.HttpResponse:
        """``GET /api/updates``."""
        wanted, top, continuation = outcome_filter(request.params)
        try:
            page = self.outcomes.list(wanted, top, continuation)
        except InvalidContinuation:
            raise Problem(400, "invalidQuery", "The continuation is none that this API gave.") from None
        body: dict[str, object] = {"value": [resource(outcome, whole=False) for outcome in page.outcomes]}
        if page.continuation is not None:
            kept = {name: text for name, text in request.params.items() if name not in ("code", "clientId")}
            query = urlencode(kept | {"continuation": page.continuation})
            body["nextLink"] = f"{self._base(request)}{_ROUTE}?{query}"
        return answer(200, body)

    @answers_problems
    def live(self, _request: func.HttpRequest) -> func.HttpResponse:
        """``GET /api/health/live``."""
        return answer(200, {"status": "ok"})

    @answers_problems
    def unknown(self, request: func.HttpRequest) -> func.HttpResponse:
        """Every path that no route has."""
        raise Problem(404, "notFound", f"There is no {request.method} {urlsplit(request.url).path}.")

    def _update(
        self, status: int, outcome: Outcome, request: func.HttpRequest, headers: dict[str, str]
    ) -> func.HttpResponse:
        location = f"{self._base(request)}{_ROUTE}/{outcome.id}"
        where = {"Location": location, "Operation-Location": location}
        return answer(status, resource(outcome), where | self._ask_again(outcome) | headers)

    def _ask_again(self, outcome: Outcome) -> dict[str, str]:
        if outcome.state.final:
            return {}
        due = outcome.next_attempt if outcome.state is State.WAITING else None
        return {"Retry-After": str(max(ASK_AGAIN_SECONDS, self._seconds_to(due)))}

    def _seconds_to(self, moment: datetime | None) -> int:
        return 0 if moment is None else math.ceil((moment - self.clock.now()).total_seconds())

    def _base(self, request: func.HttpRequest) -> str:
        if self.public_base_url is not None:
            return self.public_base_url
        url = urlsplit(request.url)
        return f"{url.scheme}://{url.netloc}"

    def _principal(self, request: func.HttpRequest) -> str | None:
        # Forgeable wherever App Service authentication does not strip it.
        return request.headers.get("X-MS-CLIENT-PRINCIPAL-ID") if self.trusts_principal else None
