"""What operators ask: health, statistics, the state of a user status, the API's description."""

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest
from jsonschema_rs import Draft202012Validator

from shared.core.delivery.graph_reply import GraphReply
from shared.service.ports.storage import Unavailable
from shared.web.openapi.document import EXAMPLES, PATHS, document
from shared.web.response import PROBLEMS
from tests.builders import POLICY, USER, a_message, an_update, reported
from tests.web.caller import BASE, answered, ask, post, problem, request, route_of
from tests.world import World

ROOT = Path(__file__).parent.parent.parent


def a_schema(name: str) -> Draft202012Validator:
    """One of the document's schemas."""
    whole = document(BASE)
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": whole["components"]})


def test_ready_while_all_around_it_can_be_used(world: World) -> None:
    """And no write of the quota is spent."""
    response, body = ask(world.relay.health.ready)
    assert response.status_code == 200
    assert body == {"status": "ok", "checks": {"queue": "ok", "table": "ok", "identity": "ok", "graph": "ok"}}
    assert not world.graph.calls
    assert not world.rate_limit.pacing.stamps


@pytest.mark.parametrize(
    ("status", "graph"), [(401, "failing"), (403, "failing"), (503, "failing"), (None, "failing"), (429, "unknown")]
)
def test_a_graph_that_refuses_a_read_is_not_ready(world: World, status: int | None, graph: str) -> None:
    """A missing grant shows here; throttling tells nothing."""
    world.graph.parse_reply = GraphReply(status)
    response, body = ask(world.relay.health.ready)
    assert body["checks"]["graph"] == graph
    assert response.status_code == (503 if graph == "failing" else 200)


def test_without_a_token_nothing_is_known_of_graph(world: World) -> None:
    """The identity is to blame."""
    world.identity.fault = "ClientAuthenticationError"
    response, body = ask(world.relay.health.ready)
    assert response.status_code == 503
    assert (body["checks"]["identity"], body["checks"]["graph"]) == ("failing", "unknown")
    assert "ClientAuthenticationError" not in str(body)


@pytest.mark.parametrize(("port", "check"), [("queue", "queue"), ("counters", "table")])
def test_storage_that_cannot_be_written_is_not_ready(world: World, port: str, check: str) -> None:
    """Each by its name."""

    def down() -> None:
        raise Unavailable("secret host")

    getattr(world, port).touch = down
    response, body = ask(world.relay.health.ready)
    assert response.status_code == 503
    assert body["checks"][check] == "failing"
    assert "secret" not in str(body)


def test_readiness_is_cached_for_a_few_seconds(world: World) -> None:
    """However often it is asked."""
    asked = []
    world.queue.touch = lambda: asked.append(1)  # type: ignore[method-assign]
    for _ in range(5):
        ask(world.relay.health.ready)
    assert len(asked) == 1
    world.clock.step(seconds=6)
    ask(world.relay.health.ready)
    assert len(asked) == 2


def test_statistics_count_what_became_of_updates(world: World) -> None:
    """By status, detail and error code; with the queue and the quota."""
    for n in range(3):
        world.accept(deviceComplianceUserStatusId=f"u{n}")
    world.run()
    world.graph.replies = [GraphReply(400, code="BadRequest", message="no")]
    world.accept(deviceComplianceUserStatusId="bad")
    world.run()
    world.graph.replies = [GraphReply(503)]
    world.accept(deviceComplianceUserStatusId="slow")
    world.deliver_next()
    world.accept(deviceComplianceUserStatusId="next")
    world.clock.step(minutes=1)

    _, body = ask(world.relay.stats.get_stats)

    assert a_schema("Stats").is_valid(body)
    assert body["last24Hours"]["byStatus"] == {
        "notStarted": 1,
        "running": 1,
        "succeeded": 3,
        "failed": 1,
        "canceled": 0,
    }
    assert body["last24Hours"]["byStatusDetail"] == {"delivered": 3, "superseded": 0}
    assert body["last24Hours"]["byErrorCode"] == {"graphRejected": 1}
    assert body["last24Hours"]["graphWrites"] == 5
    assert sum(delivery["count"] for delivery in body["deliveries"]) == 3
    assert len(body["deliveries"]) == 60
    assert body["queue"]["length"] == 2
    assert body["queue"]["headAgeSeconds"] >= 60
    assert (body["lanes"]["normal"], body["lanes"]["bulk"]["length"]) == (body["queue"], 0)
    assert (body["quota"]["writes"], body["quota"]["seconds"]) == (100, 20)


def test_statistics_reach_back_24_hours_and_over_all_instances(world: World) -> None:
    """From their rows, a bounded number of them."""
    now = world.clock.now()
    for hours, count in ((1, 5), (23, 7), (26, 100)):
        hour = (now - timedelta(hours=hours)).replace(minute=0)
        world.counters.write(hour, "other", {59: {"succeeded": count}})
    _, body = ask(world.relay.stats.get_stats)
    assert body["last24Hours"]["byStatus"]["succeeded"] == 12


def test_counts_reach_storage_and_survive_an_outage_of_it(world: World) -> None:
    """Tried again until they are written; the next instance reads them."""
    write = world.counters.write

    def down(*_: object) -> None:
        raise Unavailable("table")

    world.accept()
    world.run()
    world.counters.write = down  # type: ignore[method-assign,assignment]
    world.call_later.ring()
    assert not world.counters.rows
    world.counters.write = write  # type: ignore[method-assign]
    world.call_later.ring()
    (minutes,) = world.counters.rows.values()
    assert sum(counts.get("succeeded", 0) for counts in minutes.values()) == 1
    assert world.call_later.calls == []


def test_a_user_status_shows_what_stands_and_what_waits(world: World) -> None:
    """Per property, with the update that brought it."""
    first = world.accept(an_update(userStatus=reported("09:00:00", devicesCount=1)))
    world.run()
    second = world.accept(an_update(userStatus={"devicesCount": 2, "lastReportedDateTime": "2026-11-23T10:00:00Z"}))

    response, body = ask(world.relay.user_statuses.get_user_status, route_params=route_of(POLICY.upper(), USER))

    assert response.status_code == 200
    assert a_schema("UserStatus").is_valid(body)
    assert body["properties"]["status"] == {
        "confirmed": {"value": "compliant", "updateId": first, "versionDateTime": "2026-11-23T09:00:00.0000000Z"},
        "waiting": None,
    }
    assert body["properties"]["devicesCount"]["waiting"]["updateId"] == second
    assert body["properties"]["devicesCount"]["confirmed"]["value"] == 1


def test_a_user_status_that_nobody_reported_is_not_found(world: World) -> None:
    """404."""
    response = world.relay.user_statuses.get_user_status(request("GET", route_params=route_of(POLICY, "x")))
    assert problem(response) == (404, "notFound")


def test_the_document_and_the_routes_are_the_same() -> None:
    """Every route is described, every description has its route."""
    from tests.web.routes import routes

    described = {(method.upper(), path) for path, methods in PATHS.items() for method in methods}
    bound = {(method, path) for method, path, _ in routes() if path != "/{*path}"}
    assert described == {(method, path) for method, path in bound if method != "HEAD"}


def test_the_document_says_which_routes_need_no_key() -> None:
    """Health, the document, webhooks."""
    from tests.web.routes import routes

    open_ = {
        (method.upper(), path)
        for path, methods in PATHS.items()
        for method, operation in methods.items()
        if operation.get("security") == [{}]
    }
    anonymous = {(method, path) for method, path, level in routes() if level == "anonymous" and path != "/{*path}"}
    assert open_ == {(method, path) for method, path in anonymous if method != "HEAD"}


def test_answers_are_as_described(world: World) -> None:
    """The resource, the list, a problem."""
    _, body = post(world, a_message())
    assert a_schema("UpdateResource").is_valid(body)
    world.run()
    _, page = ask(world.relay.updates.list_updates)
    assert a_schema("UpdateList").is_valid(page)
    _, fault = post(world, {})
    assert a_schema("Problem").is_valid(fault)


def test_another_method_of_a_known_path_is_405(world: World) -> None:
    """With what it takes; every other path is 404."""
    wrong = world.relay.openapi.unknown(request("DELETE", url=f"{BASE}/api/updates/x/"))
    assert problem(wrong) == (405, "methodNotAllowed")
    assert wrong.headers["Allow"] == "GET, HEAD"
    for path in ("batch", "replay"):
        for method in ("OPTIONS", "PUT", "GET", "HEAD"):
            wrong = world.relay.openapi.unknown(request(method, url=f"{BASE}/api/updates/{path}"))
            assert wrong.headers["Allow"] == "POST"
    assert problem(world.relay.openapi.unknown(request("GET", url=f"{BASE}/api/nothing")))[0] == 404


def test_the_document_names_the_address_it_was_asked_at(world: World) -> None:
    """Never a key."""
    response, body = ask(world.relay.openapi.get_openapi, url=f"{BASE}/api/openapi.json?code=hush")
    assert response.status_code == 200
    assert body["openapi"].startswith("3.1")
    assert body["servers"] == [{"url": f"{BASE}/api"}]
    assert "hush" not in str(body)
    references = re.findall(r"'\$ref': '([^']+)'", str(body))
    assert all(re.fullmatch(r"#/components/schemas/\w+", reference) for reference in references)


def test_live_needs_nothing(world: World) -> None:
    """While the process runs."""
    world.identity.fault = "gone"
    assert answered(world.relay.health.live(request("GET"))).status_code == 200


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_every_example_is_one(name: str) -> None:
    """By its own schema."""
    for example in EXAMPLES[name]:
        assert [error.message for error in a_schema(name).iter_errors(example)] == []


def test_every_problem_is_in_the_table() -> None:
    """No kind without a status, and none that nothing raises."""
    raised = set()
    for path in (ROOT / "shared" / "web").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "Problem":
                slug = call.args[0]
                assert isinstance(slug, ast.Constant)
                raised.add(slug.value)
    assert raised == set(PROBLEMS)
