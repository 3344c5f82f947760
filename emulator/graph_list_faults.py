"""The ways in which a list of user statuses is wrong: links that lead nowhere, entries that are missing."""

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web
from yarl import URL

from emulator.faults import Call, Fault, Kind

type Page = dict[str, Any]
_LINK = "@odata.nextLink"


def _own(call: Call, _page: Page) -> str:
    return str(call.request.url)


def _first(call: Call, page: Page) -> str:
    query = {name: text for name, text in call.request.query.items() if name != "$skiptoken"}
    return str(page.get(_LINK) or call.request.url.with_query(query))


def _again(call: Call, _page: Page) -> str:
    query = call.request.query
    return str(call.request.url.with_query({**query, "again": str(int(query.get("again", 0)) + 1)}))


def _endless(call: Call, page: Page) -> str:
    query = call.request.query
    after = int(query.get("$skiptoken", 0)) + max(len(page["value"]), 1)
    return str(page.get(_LINK) or call.request.url.with_query({**query, "$skiptoken": str(after)}))


#: ``to`` of the kind ``nextLink``: where each page's link leads. Any other text is the link itself.
LINKS: dict[str, Callable[[Call, Page], str]] = {
    "self": _own,  # the page names itself
    "first": _first,  # the last page leads to the first one
    "again": _again,  # the same entries under an address that was not seen before
    "endless": _endless,  # after the last entry, empty pages without end
}


async def _next_link(fault: Fault, call: Call) -> web.StreamResponse:
    to = fault.get("to", "self")

    def change(page: Page) -> Page:
        return page | {_LINK: LINKS[to](call, page) if to in LINKS else to}

    return _changed(call.proceed(), change)


async def _other_host(fault: Fault, call: Call) -> web.StreamResponse:
    """Name another scheme and host in the links, as behind a gateway."""
    origin = URL(fault.get("origin", "https://graph.microsoft.com"))

    def change(page: Page) -> Page:
        if _LINK not in page:
            return page
        url = URL(page[_LINK])
        return page | {_LINK: str(origin.join(url.relative()))}

    return _changed(call.proceed(), change)


async def _missing(fault: Fault, call: Call) -> web.StreamResponse:
    """Leave out the ``entries`` that have these ids or user principal names."""
    left_out = set(fault.get("entries", []))

    def change(page: Page) -> Page:
        return page | {"value": [entry for entry in page["value"] if left_out.isdisjoint(entry.values())]}

    return _changed(call.proceed(), change)


def _changed(response: web.Response, change: Callable[[Page], Page]) -> web.Response:
    response.text = json.dumps(change(json.loads(response.text or "{}")))
    return response


_LIST = {"operation": "list"}
LIST_KINDS: dict[str, Kind[Any]] = {
    "nextLink": Kind(_next_link, frozenset({"to"}), {"match": _LIST}),
    "otherHost": Kind(_other_host, frozenset({"origin"}), {"match": _LIST}),
    "missing": Kind(_missing, frozenset({"entries"}), {"match": _LIST}),
}
