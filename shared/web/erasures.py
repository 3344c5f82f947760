"""``POST /api/erasures`` and ``GET /api/erasures/{id}``: asking for a person's erasure, and how far it has come."""

from dataclasses import dataclass

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.core.erasure import Erasure, resource
from shared.core.strict_json import InvalidMessage
from shared.core.subject import parse_subject
from shared.core.update_id import is_update_id
from shared.service.erase import Erase
from shared.web.answers import Problem, answer
from shared.web.boundary import answers_problems
from shared.web.callers import Callers
from shared.web.requests_in import LARGEST_MESSAGE, json_body, malformed

#: The timer goes on with it every minute.
ASK_AGAIN_SECONDS = 20
_NOT_FOUND = Problem(404, "notFound", "There is no such erasure.")


@dataclass(frozen=True)
class Erasures:
    """An operation that an Azure SDK poller can follow."""

    erase: Erase
    callers: Callers

    @answers_problems
    def post_erasure(self, request: func.HttpRequest) -> func.HttpResponse:
        """Every request is an erasure of its own: it covers all that was accepted before it."""
        subject = parse_subject(json_body(request, LARGEST_MESSAGE))
        if isinstance(subject, InvalidMessage):
            raise malformed(subject)
        erasure = self.erase.request(subject)
        location = f"{self.callers.base(request)}/api/erasures/{erasure.id}"
        where = {"Location": location, "Operation-Location": location}
        return answer(202, resource(erasure), where | _ask_again(erasure))

    @answers_problems
    def get_erasure(self, request: func.HttpRequest) -> func.HttpResponse:
        """404 for an unknown one, and once retention has passed."""
        erasure_id = str(request.route_params["id"]).lower()
        erasure = self.erase.get(erasure_id) if is_update_id(erasure_id) else None
        if erasure is None:
            raise _NOT_FOUND
        return answer(200, resource(erasure), _ask_again(erasure))


def _ask_again(erasure: Erasure) -> dict[str, str]:
    return {} if erasure.state.final else {"Retry-After": str(ASK_AGAIN_SECONDS)}
