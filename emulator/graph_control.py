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


def add_routes(app: web.Application, state: GraphState) -> None:
    """Serve the control of this state."""

    async def requests(request: web.Request) -> web.Response:
        return web.json_response({"value": state.requests[int(request.query.get("since", 0)) :]})

    async def summary(request: web.Request) -> web.Response:
        return web.json_response(state.summary(float(request.query.get("windowSeconds", 20))))

    async def held(_request: web.Request) -> web.Response:
        return web.json_response({"value": [{"policyId": key[0]} | one for key, one in state.statuses.items()]})

    async def seed(request: web.Request) -> web.Response:
        for one in (await request.json())["value"]:
            state.seed(one.pop("policyId"), one)
        return web.Response(status=204)

    async def configure(request: web.Request) -> web.Response:
        state.config |= await request.json()
        return web.json_response(state.config)

    async def clear_requests(_request: web.Request) -> web.Response:
        state.clear_requests()
        return web.Response(status=204)

    async def clear_state(_request: web.Request) -> web.Response:
        state.clear_statuses()
        return web.Response(status=204)

    async def postponed(_request: web.Request) -> web.Response:
        return web.json_response({"count": state.postponed.now()})

    app.add_routes(
        [
            web.get("/_emulator/requests", requests),
            web.delete("/_emulator/requests", clear_requests),
            web.get("/_emulator/summary", summary),
            web.get("/_emulator/state", held),
            web.put("/_emulator/state", seed),
            web.delete("/_emulator/state", clear_state),
            web.put("/_emulator/config", configure),
            web.post("/_emulator/postponed", postponed),
        ]
    )
