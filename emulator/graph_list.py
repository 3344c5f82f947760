"""A list as Graph pages it: ``$top``, ``$select`` and its own ``$skiptoken``, refused where they make no sense."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from emulator.graph_rules import Refusal

_KNOWN = {"$top", "$select", "$skiptoken"}
_MAX_PAGE = 1000


def list_page(
    request: web.Request, everything: Sequence[dict[str, Any]], page_size: int, properties: Sequence[str]
) -> dict[str, Any]:
    """Return the page that the query asks for, with ``@odata.nextLink`` where there are more. Raise ``Refusal``."""
    unknown = {name for name in request.query if name.startswith("$")} - _KNOWN
    if unknown:
        raise Refusal(400, "BadRequest", f"The query option '{min(unknown)}' is not supported.")
    selected = [name for name in request.query.get("$select", ",".join(properties)).split(",") if name]
    for name in selected:
        if name not in properties:
            raise Refusal(400, "BadRequest", f"Could not find a property named '{name}'.")
    top = min(_number(request, "$top", page_size), _MAX_PAGE)
    skip = _number(request, "$skiptoken", 0)
    value = [{name: entry[name] for name in selected} for entry in everything[skip : skip + top]]
    body: dict[str, Any] = {"@odata.context": f"{request.url.origin()}{request.path}", "value": value}
    if skip + top < len(everything):
        body["@odata.nextLink"] = str(request.url.with_query({**request.query, "$skiptoken": str(skip + top)}))
    return body


def page_number(request: web.Request, page_size: int) -> int:
    """Return which page is asked for, 1 for the first."""
    try:
        return _number(request, "$skiptoken", 0) // min(_number(request, "$top", page_size), _MAX_PAGE) + 1
    except Refusal:
        return 0


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or (name == "$top" and not int(text)):
        raise Refusal(400, "BadRequest", f"Invalid value '{text}' for '{name}'.")
    return int(text)
