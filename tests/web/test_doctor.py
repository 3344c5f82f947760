"""The doctor names each planted fault, with its next step."""

from typing import Any

import pytest

from emulator.tokens import GRAPH_AUDIENCE, WRITE_ROLE, issue
from shared.core.delivery.graph_reply import GraphReply, TransportFault
from shared.core.delivery.reply_kind import ReplyKind
from shared.core.intake.update import user_status_key
from shared.service.ports.storage import Denied, Unavailable
from tests.builders import EXAMPLE, POLICY, USER
from tests.web.caller import BASE, ask, problem
from tests.web.test_operations import a_schema
from tests.world import World

IDS = {"deviceCompliancePolicyId": POLICY, "deviceComplianceUserStatusId": USER}
NAMES = ["queue", "tables", "identity", "tokenAudience", "graphRole", "graphRead", "graphWrite", "pauses"]


@pytest.fixture
def world(world: World) -> World:
    """All is well: a token with its role, a user status in Graph."""
    world.identity.issued = issue(GRAPH_AUDIENCE, [WRITE_ROLE], now=0, lifetime=3600)
    world.graph.state[POLICY, USER] = dict(EXAMPLE)
    return world


def findings(world: World, **query: str) -> dict[str, Any]:
    """By name."""
    response, body = ask(world.relay.doctor.get_doctor, url=f"{BASE}/api/doctor", params=query)
    assert response.status_code == 200
    assert a_schema("Doctor").is_valid(body)
    assert [check["name"] for check in body["checks"]] == NAMES
    assert (body["status"] == "failing") == any(check["status"] == "failing" for check in body["checks"])
    assert all(check["nextStep"] for check in body["checks"] if check["status"] != "ok")
    assert str(world.identity.issued) not in str(body)
    return {check["name"]: check for check in body["checks"]}


def verdicts(world: World, **query: str) -> dict[str, str]:
    """Their words alone, of those that are not ok."""
    return {name: check["status"] for name, check in findings(world, **query).items() if check["status"] != "ok"}


def test_all_is_well(world: World) -> None:
    """Nothing is written to Graph unless asked."""
    assert verdicts(world) == {"graphWrite": "skipped"}
    assert not world.graph.calls
    assert not world.rate_limit.pacing.stamps


def test_the_patch_sends_back_what_graph_has(world: World) -> None:
    """In a slot of the quota, and the user status is free again."""
    assert verdicts(world, **IDS) == {}
    (call,) = world.graph.calls
    assert call.properties == EXAMPLE
    assert len(world.rate_limit.pacing.stamps) == 1
    row = world.user_statuses.read(user_status_key(POLICY, USER)).row
    assert row is not None
    assert row.lease is None
    assert not row.confirmed


def test_an_update_after_the_probe_is_sent_as_ever(world: World) -> None:
    """The probe leaves no version behind."""
    findings(world, **IDS)
    update_id = world.accept()
    world.run()
    assert world.resource(update_id)["statusDetail"] == "delivered"


def test_a_missing_role_is_named(world: World) -> None:
    """In the token, and where Graph forbids."""
    world.identity.issued = issue(GRAPH_AUDIENCE, [], now=0, lifetime=3600)
    world.graph.parse_reply = GraphReply(403)
    found = findings(world)
    assert (found["graphRole"]["status"], found["graphRead"]["status"]) == ("failing", "failing")
    assert WRITE_ROLE in found["graphRole"]["nextStep"]
    assert WRITE_ROLE in found["graphRead"]["nextStep"]


def test_a_403_with_the_role_points_at_the_licence(world: World) -> None:
    """A permission it is not."""
    world.graph.parse_reply = GraphReply(403)
    found = findings(world)
    assert found["graphRole"]["status"] == "ok"
    assert "licence" in found["graphRead"]["nextStep"]


def test_a_wrong_audience_is_named(world: World) -> None:
    """With the cloud's setting."""
    world.identity.issued = issue("https://graph.microsoft.us", [WRITE_ROLE], now=0, lifetime=3600)
    world.graph.parse_reply = GraphReply(401)
    found = findings(world)
    assert found["tokenAudience"]["status"] == "failing"
    assert "graph.microsoft.us" in found["tokenAudience"]["detail"]
    assert "GRAPH_CLOUD" in found["tokenAudience"]["nextStep"]
    assert found["graphRead"]["status"] == "failing"


def test_a_token_that_cannot_be_read_tells_nothing(world: World) -> None:
    """Garbage is no fault of the permission's."""
    world.identity.issued = "opaque"
    assert verdicts(world) == {"tokenAudience": "unknown", "graphRole": "unknown", "graphWrite": "skipped"}


def test_no_token_is_named_once(world: World) -> None:
    """What needs one is unknown."""
    world.identity.fault = "CredentialUnavailableError"
    found = verdicts(world, **IDS)
    assert found.pop("identity") == "failing"
    assert found == dict.fromkeys(["tokenAudience", "graphRole", "graphRead", "graphWrite"], "unknown")


@pytest.mark.parametrize(("port", "check", "role"), [("queue", "queue", "Queue"), ("counters", "tables", "Table")])
@pytest.mark.parametrize("error", [Denied, Unavailable])
def test_storage_that_refuses_is_told_from_storage_that_is_away(
    world: World, port: str, check: str, role: str, error: type[Exception]
) -> None:
    """A role, or the network."""

    def down() -> None:
        raise error(f"{check}: HttpResponseError")

    getattr(world, port).touch = down
    found = findings(world)[check]
    assert found["status"] == "failing"
    wanted = f"Storage {role} Data Contributor" if error is Denied else "firewall"
    assert wanted in found["nextStep"]


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (GraphReply(400, judged=ReplyKind.ROUTE_MISSING), "failing"),
        (GraphReply(400, code="BadRequest"), "failing"),
        (GraphReply(403), "failing"),
        (GraphReply(404), "unknown"),
        (GraphReply(500), "unknown"),
        (GraphReply(429), "unknown"),
        (GraphReply(200, judged=ReplyKind.UNREADABLE_SUCCESS), "unknown"),
        (GraphReply(400, judged=ReplyKind.APPROVAL_REQUIRED), "failing"),
        (GraphReply(400, judged=ReplyKind.LICENCE_MISSING), "failing"),
        (GraphReply(470, judged=ReplyKind.FOREIGN), "failing"),
        (GraphReply(None, TransportFault.UNREACHABLE), "failing"),
    ],
)
@pytest.mark.parametrize("of", ["get", "patch"])
def test_what_graph_answers_to_the_probe_is_told(world: World, reply: GraphReply, status: str, of: str) -> None:
    """And the user status is free again."""
    if of == "get":
        world.graph.user_status_reply = reply
    else:
        world.graph.replies = [reply]
    found = findings(world, **IDS)["graphWrite"]
    assert found["status"] == status
    assert ("operationNotSupported" in found["detail"]) == (reply.kind is ReplyKind.ROUTE_MISSING)
    assert len(world.graph.calls) == (of == "patch")
    row = world.user_statuses.read(user_status_key(POLICY, USER)).row
    assert row is not None
    assert row.lease is None


def test_a_probe_that_may_still_land_keeps_its_lease(world: World) -> None:
    """No newer value may be overwritten by it."""
    world.graph.replies = [GraphReply(None, TransportFault.TIMEOUT)]
    assert findings(world, **IDS)["graphWrite"]["status"] == "failing"
    row = world.user_statuses.read(user_status_key(POLICY, USER)).row
    assert row is not None
    assert row.leased_at(world.clock.now())
    assert findings(world, **IDS)["graphWrite"]["status"] == "unknown"


def test_a_user_status_with_waiting_updates_is_left_alone(world: World) -> None:
    """It has newer values to come; the slot goes to others."""
    world.accept()
    assert findings(world, **IDS)["graphWrite"]["status"] == "unknown"
    assert not world.graph.calls


def test_the_probe_goes_out_although_the_route_is_missing_and_its_success_ends_that(world: World) -> None:
    """Whenever it is asked for: after a change at Microsoft nobody has to wait for the hour."""
    findings(world, **IDS)  # Graph has the user status from here on
    world.accept(deviceComplianceUserStatusId=USER)
    world.run()
    world.graph.replies = [GraphReply(400, judged=ReplyKind.ROUTE_MISSING)] * 3
    for n in range(3):
        world.accept(deviceComplianceUserStatusId=f"user-{n}")
    world.run()
    assert world.rate_limit.pacing.route.latched
    assert findings(world, **IDS)["graphWrite"]["status"] == "ok"
    assert not world.rate_limit.pacing.route.latched


def test_the_probe_keeps_to_the_hold(world: World) -> None:
    """Whatever is asked."""
    world.relay.rate_limiter.record_read(GraphReply(429, retry_after_seconds=600.0))
    assert findings(world, **IDS)["graphWrite"]["status"] == "unknown"
    assert not world.graph.calls


@pytest.mark.parametrize(
    "query",
    [
        {"deviceCompliancePolicyId": POLICY},
        {"deviceComplianceUserStatusId": USER},
        IDS | {"x": "1"},
        IDS | {"deviceCompliancePolicyId": "p"},
        IDS | {"deviceComplianceUserStatusId": ".."},
        {"x": "1"},
    ],
)
def test_ids_come_together_and_are_ids(world: World, query: dict[str, str]) -> None:
    """400, each fault named."""
    response, body = ask(world.relay.doctor.get_doctor, url=f"{BASE}/api/doctor", params=query)
    assert problem(response) == (400, "invalidQuery")
    assert body["errors"]


def test_the_hosts_own_parameters_are_no_ids(world: World) -> None:
    """A key may come in the query."""
    assert verdicts(world, code="hush") == {"graphWrite": "skipped"}


def test_nobody_gets_it_without_a_key() -> None:
    """The route wants a function key."""
    from tests.web.routes import routes

    assert ("GET", "/doctor", "function") in routes()
