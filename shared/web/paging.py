"""A page of a list as an answer: its items, and the address of the next page."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.web.query import parameters
from shared.web.response import json_response


def page_response(
    request: func.HttpRequest, address: str, value: Sequence[Any], continuation: str | None
) -> func.HttpResponse:
    """Return the page; its ``nextLink`` repeats the query of the request, and is absent on the last page."""
    body: dict[str, Any] = {"value": value}
    if continuation is not None:
        given, _ = parameters(request)
        body["nextLink"] = f"{address}?{urlencode(given | {'continuation': continuation})}"
    return json_response(200, body)
