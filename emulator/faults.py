"""The faults that an emulated service is asked to show: which kinds it knows, for which requests, how often.

A fault is a JSON object. Each kind has members of its own; these belong to every kind:

- ``kind``: its name.
- ``count``: how many requests meet it, 1 by default, null for all.
- ``match``: which requests meet it: names and the wanted value, or a list of wanted values.
- ``forSeconds``: after this time no request meets it.
- ``delaySeconds``: the answer begins so much later.

A request meets the first fault that fits it.
"""

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

type Fault = dict[str, Any]
#: What a filter can name, each with all values that this request has.
type Traits = Mapping[str, Collection[Any]]

_COMMON = frozenset({"kind", "count", "match", "forSeconds", "delaySeconds"})


class FaultError(Exception):
    """A fault has a kind, member or filter that is not known; the text says which."""


@dataclass(frozen=True)
class Call:
    """A request that meets a fault."""

    request: web.Request
    #: Do what the request asks, and return the usual answer.
    proceed: Callable[[], web.Response]
    #: Return the service's own error for the fault's ``status``, ``code``, ``message``.
    error: Callable[[Fault], web.Response]


type Answer[C: Call] = Callable[[Fault, C], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Kind[C: Call]:
    """One kind of fault: how it answers, its own members, and those that it sets."""

    answer: Answer[C]
    members: frozenset[str] = frozenset()
    preset: Mapping[str, Any] = field(default_factory=dict)

    def named(self, **preset: Any) -> "Kind[C]":
        """Return this kind with some members set; the fault may still set them otherwise."""
        return Kind(self.answer, self.members, {**self.preset, **preset})


class Faults[C: Call]:
    """The faults to come, and their control over HTTP: ``GET``, ``POST``, ``DELETE /_emulator/faults``."""

    def __init__(self, kinds: Mapping[str, Kind[C]], traits: Collection[str]) -> None:
        self.kinds = kinds
        self._traits = traits
        self._coming: list[Fault] = []

    def take(self, traits: Traits) -> Fault | None:
        """Return the first fault that fits a request, and count it; None where none fits."""
        for fault in self._coming:
            if fault["count"] != 0 and time.time() < fault["until"] and _fits(fault["match"], traits):
                if fault["count"] is not None:
                    fault["count"] -= 1
                return fault
        return None

    def add_routes(self, app: web.Application) -> None:
        """Add the routes of the control."""
        app.router.add_get("/_emulator/faults", self._list)
        app.router.add_post("/_emulator/faults", self._add)
        app.router.add_delete("/_emulator/faults", self._clear)

    async def _list(self, _request: web.Request) -> web.Response:
        shown = [fault | {"until": None if fault["until"] == _ALWAYS else fault["until"]} for fault in self._coming]
        return web.json_response({"value": shown})

    async def _add(self, request: web.Request) -> web.Response:
        body = await request.json()
        try:
            self._coming += [self._whole(fault) for fault in (body if isinstance(body, list) else [body])]
        except FaultError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(body)

    async def _clear(self, _request: web.Request) -> web.Response:
        self._coming.clear()
        return web.Response(status=204)

    def _whole(self, fault: Fault) -> Fault:
        kind = self.kinds.get(fault.get("kind", ""))
        if kind is None:
            raise FaultError(f"kind must be one of {', '.join(sorted(self.kinds))}")
        match = {**kind.preset.get("match", {}), **(fault.get("match") or {})}
        _check(fault, _COMMON | kind.members, "member")
        _check(match, self._traits, "filter")
        until = time.time() + fault["forSeconds"] if "forSeconds" in fault else _ALWAYS
        return {"count": 1, **kind.preset, **fault, "match": match, "until": until}


_ALWAYS = float("inf")


def _check(names: Collection[str], known: Collection[str], noun: str) -> None:
    unknown = set(names) - set(known)
    if unknown:
        raise FaultError(f"unknown {noun} '{min(unknown)}': known are {', '.join(sorted(known))}")


def _fits(match: Mapping[str, Any], traits: Traits) -> bool:
    return all(
        any(value in traits.get(name, ()) for value in (wanted if isinstance(wanted, list) else [wanted]))
        for name, wanted in match.items()
    )
