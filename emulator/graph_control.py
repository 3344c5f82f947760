"""What tests ask of the emulated Graph: its requests, what it holds, its configuration.

All under ``/_emulator``: ``GET requests?since=N``, ``GET summary?windowSeconds=N``, ``GET state``, ``PUT state``,
``PUT config`` (``quota`` as ``100/20`` or null, ``retryAfter``, ``latencyMilliseconds``, ``strictIds``, ``pageSize``),
``DELETE requests|state``, ``POST postponed`` (do at once what waits for its time: writes that land late, values that go
back; answers with their ``count``). The faults have a control of their own (``emulator/faults.py``).

A request's record:

- ``number``, ``operation`` (write, read, list, policies, policy), ``method``, ``path``, ``headers``, ``body``.
- ``start``: when it arrived. ``end``: when it was answered, or when the client left.
- ``status``: of the answer, null where there was none. ``fault``: the kind that it met.
- ``applied``: when the write took effect, null where it has not. ``appliedOrder``: 1 for the first write applied.
- ``overlap``: an earlier write of the same user status could still be applied when this one arrived.
- ``reverted``: when Graph put the old value back.
"""

from aiohttp import web

from emulator.graph_state import GraphState


class GraphControl:
    """The control of one state."""

    def __init__(self, state: GraphState) -> None:
        self._state = state

    def add_routes(self, app: web.Application) -> None:
        """Add its routes."""
        app.add_routes(
            [
                web.get("/_emulator/requests", self._requests),
                web.delete("/_emulator/requests", self._clear_requests),
                web.get("/_emulator/summary", self._summary),
                web.get("/_emulator/state", self._held),
                web.put("/_emulator/state", self._seed),
                web.delete("/_emulator/state", self._clear_state),
                web.put("/_emulator/config", self._configure),
                web.post("/_emulator/postponed", self._postponed),
            ]
        )

    async def _requests(self, request: web.Request) -> web.Response:
        return web.json_response({"value": self._state.requests[int(request.query.get("since", 0)) :]})

    async def _clear_requests(self, _request: web.Request) -> web.Response:
        self._state.clear_requests()
        return web.Response(status=204)

    async def _summary(self, request: web.Request) -> web.Response:
        return web.json_response(self._state.summary(float(request.query.get("windowSeconds", 20))))

    async def _held(self, _request: web.Request) -> web.Response:
        held = self._state.statuses.items()
        return web.json_response({"value": [{"policyId": policy} | status for (policy, _), status in held]})

    async def _seed(self, request: web.Request) -> web.Response:
        for status in (await request.json())["value"]:
            self._state.seed(status.pop("policyId"), status)
        return web.Response(status=204)

    async def _clear_state(self, _request: web.Request) -> web.Response:
        self._state.clear_statuses()
        return web.Response(status=204)

    async def _configure(self, request: web.Request) -> web.Response:
        self._state.config |= await request.json()
        return web.json_response(self._state.config)

    async def _postponed(self, _request: web.Request) -> web.Response:
        return web.json_response({"count": self._state.postponed.now()})
