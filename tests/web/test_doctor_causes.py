"""The doctor's advice follows the cause's own code."""

import asyncio
import threading
from typing import Any

import pytest

from emulator.tokens import GRAPH_AUDIENCE, WRITE_ROLE, issue
from shared.core.delivery.graph_reply import GraphReply, TransportFault
from shared.core.delivery.reply_kind import NetworkFault, ReplyKind
from shared.service.diagnosis.doctor import TOKEN, late
from shared.service.ports.storage import Denied, Unavailable
from tests.web.caller import BASE, ask
from tests.world import World


@pytest.fixture
def world(world: World) -> World:
    """All is well: a token with its role."""
    world.identity.issued = issue(GRAPH_AUDIENCE, [WRITE_ROLE], now=0, lifetime=3600)
    return world


def found(world: World, name: str) -> dict[str, Any]:
    """Return what the doctor says of one check."""
    _, body = ask(world.relay.doctor.get_doctor, url=f"{BASE}/api/doctor")
    return next(check for check in body["checks"] if check["name"] == name)


@pytest.mark.parametrize(
    ("reply", "detail", "step"),
    [
        (GraphReply(400, judged=ReplyKind.APPROVAL_REQUIRED), "400", "Exclusions"),
        (GraphReply(400, message="Not applicable.", judged=ReplyKind.LICENCE_MISSING), "Not applicable.", "licence"),
        (GraphReply(400, judged=ReplyKind.ROUTE_MISSING), "operationNotSupported", "extensionAttributes"),
        (GraphReply(470, message="Azure Firewall", judged=ReplyKind.FOREIGN), "470: Azure Firewall", "proxy"),
        (GraphReply(401, code="InvalidAuthenticationToken"), "401: InvalidAuthenticationToken", "Conditional Access"),
        (GraphReply(403, code="Forbidden", message="No."), "403: Forbidden No.", "licence"),
        (GraphReply(429, code="TooManyRequests", message="Later."), "429: TooManyRequests Later.", "in a minute"),
        (GraphReply(404, code="ResourceNotFound"), "404: ResourceNotFound", "Name a policy"),
        (GraphReply(None, TransportFault.TIMEOUT), "in time", "slow"),
    ],
)
def test_graphs_own_code_and_words_are_shown(world: World, reply: GraphReply, detail: str, step: str) -> None:
    """With the step of that cause."""
    world.graph.parse_reply = reply
    check = found(world, "graphRead")
    assert detail in check["detail"]
    assert step in check["nextStep"]


def test_approval_names_our_client_id(world: World) -> None:
    """An administrator excludes the app by it."""
    world.graph.parse_reply = GraphReply(403, judged=ReplyKind.APPROVAL_REQUIRED)
    world.identity.issued = issue(GRAPH_AUDIENCE, [WRITE_ROLE], now=0, lifetime=3600)
    assert "client id" in found(world, "graphRead")["nextStep"]
    assert "{" not in found(world, "graphRead")["nextStep"]


@pytest.mark.parametrize(
    ("network", "step"),
    [
        (NetworkFault.NAME, "DNS"),
        (NetworkFault.REFUSED, "refuses the connection"),
        (NetworkFault.CERTIFICATE, "REQUESTS_CA_BUNDLE"),
        (NetworkFault.PROXY, "HTTPS_PROXY"),
        (NetworkFault.PROTOCOL, "TLS"),
        (NetworkFault.NO_ANSWER, "port 443"),
        (None, "GRAPH_BASE_URL"),
    ],
)
def test_each_fault_of_the_network_has_its_step(world: World, network: NetworkFault | None, step: str) -> None:
    """In Graph's case, and the words say what it was."""
    world.graph.parse_reply = GraphReply(None, TransportFault.UNREACHABLE, network=network, message="its words")
    check = found(world, "graphRead")
    assert (check["status"], check["detail"]) == ("failing", "Graph could not be reached: its words")
    assert step in check["nextStep"]


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (Denied("queue: 403", code="AuthorizationFailure"), "firewall"),
        (Denied("queue: 403", code="AuthorizationPermissionMismatch"), "Storage Queue Data Contributor"),
        (Denied("queue: 403", code="AuthenticationFailed"), "rotated"),
        (Denied("queue: 403", code="KeyBasedAuthenticationNotPermitted"), "shared keys"),
        (Unavailable("queue: 409", code="QueueBeingDeleted"), "being deleted"),
        (Unavailable("queue: away", code="name"), "DNS"),
        (Unavailable("queue: no token", code="noToken"), "Mend identity"),
        (Denied("queue: 403"), "Storage Queue Data Contributor"),
        (Unavailable("queue: away"), "UPDATES_STORAGE"),
    ],
)
def test_storage_is_advised_on_by_its_own_code(world: World, error: Unavailable, step: str) -> None:
    """A firewall is no missing role."""

    def down() -> None:
        raise error

    world.queue.touch = down  # type: ignore[method-assign]
    check = found(world, "queue")
    assert check["status"] == "failing"
    assert str(error) in check["detail"]
    assert step in check["nextStep"]


@pytest.mark.parametrize(
    ("fault", "step"),
    [
        ("the identity endpoint answered 400 No User Assigned or Delegated Managed Identity found", "AZURE_CLIENT_ID"),
        ("the identity endpoint answered 500", "passes within minutes"),
        ("there is no managed identity endpoint", "Turn the app's managed identity on"),
        ("something else", "Turn the app's managed identity on"),
    ],
)
def test_the_identity_endpoints_words_decide(world: World, fault: str, step: str) -> None:
    """They are shown."""
    world.identity.fault = fault
    check = found(world, "identity")
    assert fault in check["detail"]
    assert step in check["nextStep"]


def test_a_check_that_was_late_marks_only_itself() -> None:
    """What needs a token is unknown."""
    assert [check.status for check in late(TOKEN, 1)] == ["failing", "unknown", "unknown"]


@pytest.mark.parametrize(
    "reply",
    [
        GraphReply(200, judged=ReplyKind.UNREADABLE_SUCCESS),
        GraphReply(200, judged=ReplyKind.ERROR_IN_SUCCESS),
        GraphReply(302),
        GraphReply(470, judged=ReplyKind.FOREIGN),
        GraphReply(400, judged=ReplyKind.LICENCE_MISSING),
    ],
)
def test_a_proxys_page_is_not_ready(world: World, reply: GraphReply) -> None:
    """Although it answers, with 200 even."""
    world.graph.parse_reply = reply
    response, body = ask(world.relay.health.ready)
    assert (response.status_code, body["checks"]["graph"]) == (503, "failing")


def test_a_check_that_hangs_runs_once_and_takes_no_thread_of_the_api(world: World) -> None:
    """Readiness is asked every few seconds; after minutes the API did not answer any more."""
    over, calls = threading.Event(), []
    running = world.relay.running_checks

    def hang() -> str:
        calls.append(threading.current_thread().name)
        over.wait()
        return "done"

    async def asked_again() -> list[object]:
        return await asyncio.gather(*(running.result("x", hang, 0.01) for _ in range(50)), return_exceptions=True)

    assert all(isinstance(error, TimeoutError) for error in asyncio.run(asked_again()))
    assert len(calls) == 1
    assert calls[0].startswith("checks")
    assert world.accept()
    over.set()
