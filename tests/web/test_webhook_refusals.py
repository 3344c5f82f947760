"""What is refused at a webhook leaves a trace: an outcome for each unreadable item, and counts for every refusal."""

import json
from typing import Any

import pytest

from shared.service.ports.storage import Unavailable
from shared.settings import Settings
from tests.builders import a_message
from tests.watched import Watched
from tests.web.caller import BASE, ask, problem, request
from tests.web.test_webhooks import a_world, send
from tests.world import World

KEY = {"X-Relay-Key": "let me in"}
BAD = a_message(userStatus={"status": "NonCompliant"})


def refused(world: World) -> list[dict[str, Any]]:
    """Return the outcomes of refused items."""
    every = [world.resource(update_id) for update_id in world.outcomes.rows]
    return [resource for resource in every if resource["status"] == "failed"]


def webhooks(world: World) -> dict[str, Any]:
    """Return what the statistics say of webhooks."""
    _, body = ask(world.relay.stats.get_stats)
    found: dict[str, Any] = body["webhooks"]
    return found


def test_an_item_that_is_no_message_has_an_outcome_and_its_verdict_the_id() -> None:
    """202, since the other item is valid."""
    world = a_world()
    response, answer = send(world, "eventgrid", {"updates": [a_message(), BAD]}, KEY)

    assert response.status_code == 202
    good, bad = answer["value"]
    assert set(good) == {"index", "id", "status"}
    assert set(bad) == {"index", "id", "error"}
    outcome = world.resource(bad["id"])
    assert (outcome["status"], outcome["error"]["code"]) == ("failed", "invalidMessage")
    assert outcome["error"]["errors"][0]["pointer"] == "/userStatus/status"
    assert json.loads(outcome["rawMessage"]) == BAD


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (BAD, "application/json", 400),
        ([BAD, {}], "application/json", 400),
        (b"{", "application/json", 400),
        (b"\xff\x00", "application/json", 400),
        (b"payload=%7B%7D", "application/x-www-form-urlencoded", 415),
        ({"updates": {}}, "application/json", 400),
    ],
)
def test_a_request_without_a_valid_item_is_kept_too(body: Any, content_type: str, status: int) -> None:
    """The answer's status stays as it is; nobody may read it, so there is an outcome."""
    world = a_world()
    response, _ = send(world, "eventgrid", body, KEY | {"Content-Type": content_type})
    assert response.status_code == status
    assert len(refused(world)) == (2 if isinstance(body, list) else 1)
    assert all(resource["error"]["code"] == "invalidMessage" for resource in refused(world))
    assert all(resource["rawMessage"] for resource in refused(world))


def test_a_sender_that_repeats_the_same_bytes_adds_nothing() -> None:
    """Hours later too; other bytes are another refusal, and so are the same of another source."""
    world = a_world()
    first = send(world, "eventgrid", [a_message(), BAD], KEY)[1]["value"][1]["id"]
    world.clock.step(hours=2)
    assert send(world, "eventgrid", [a_message(), BAD], KEY)[1]["value"][1]["id"] == first
    assert len(refused(world)) == 1
    send(world, "eventgrid", [BAD], KEY)
    assert len(refused(world)) == 2


def test_what_a_map_cannot_read_is_kept_as_the_sender_sent_it() -> None:
    """Not as the message that the map made of it."""
    world = a_world()
    send(world, "mapped", {"devices": [{"kind": "phone", "owner": [1]}]}, {"X-Relay-Key": "k"})
    (outcome,) = refused(world)
    assert json.loads(outcome["rawMessage"]) == {"kind": "phone", "owner": [1]}


def test_a_request_that_is_not_genuine_leaves_no_outcome() -> None:
    """Anyone could fill the table."""
    world = a_world()
    for source in ("eventgrid", "standard", "nobody"):
        assert send(world, source, BAD, {})[0].status_code == 401
    assert not world.outcomes.rows


def test_storage_that_is_down_changes_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    """The faults are named all the same; the log says that they were not kept."""

    def down(*_: Any) -> Any:
        raise Unavailable("table")

    world = a_world()
    world.idempotency_keys.reserve = down  # type: ignore[method-assign]
    response, body = send(world, "eventgrid", BAD, KEY)
    assert problem(response) == (400, "invalidMessage")
    assert body["errors"]
    assert "refused items not kept" in caplog.text


def test_refusals_are_counted_by_source_and_reason(caplog: pytest.LogCaptureFixture) -> None:
    """In the statistics, in metrics and in the log; a source that nobody configured has no name there."""
    world = a_world()
    send(world, "eventgrid", a_message(), KEY)
    send(world, "eventgrid", [a_message(), BAD], KEY)
    world.clock.step(minutes=5)
    send(world, "eventgrid", a_message(), {})
    send(world, "chosen-by-a-stranger", a_message(), {})

    counted = webhooks(world)
    assert counted["eventgrid"] == {
        "requests": 3,
        "refused": 2,
        "byReason": {"invalidMessage": 1, "signature": 1},
        "lastRefusedDateTime": "2026-11-23T20:35:00.000Z",
        "lastRefusedReason": "signature",
    }
    assert counted["*"]["byReason"] == {"unknownSource": 1}
    assert set(counted) == {"eventgrid", "*"}
    assert sorted(world.telemetry.refusals) == [
        ("*", "unknownSource"),
        ("eventgrid", "invalidMessage"),
        ("eventgrid", "signature"),
    ]
    assert "chosen-by-a-stranger" not in caplog.text
    assert [record.reason for record in caplog.records if record.message == "webhook refused"] == [  # type: ignore[attr-defined]
        "invalidMessage",
        "signature",
        "unknownSource",
    ]


def test_a_refusal_is_a_metric() -> None:
    """With source and reason as attributes."""
    watched = Watched(Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true"}))
    assert send(watched.world, "nobody", BAD, {})[0].status_code == 401
    (point,) = watched.metrics()["relay.webhook.refusals"]
    assert point.value == 1
    assert dict(point.attributes) == {"relay.webhook.source": "*", "relay.webhook.reason": "unknownSource"}


def doctor(world: World) -> dict[str, Any]:
    """Return what the doctor finds of webhooks."""
    _, body = ask(world.relay.doctor.get_doctor, url=f"{BASE}/api/doctor")
    (found,) = [check for check in body["checks"] if check["name"] == "webhooks"]
    return dict(found)


def test_the_doctor_names_a_source_whose_requests_are_all_refused() -> None:
    """With the reason, and what to do; one good request is enough to be well."""
    world = a_world()
    assert doctor(world)["status"] == "ok"
    send(world, "eventgrid", a_message(), KEY)
    send(world, "eventgrid", a_message(), {})
    assert doctor(world)["status"] == "ok"
    for _ in range(2):
        send(world, "github", a_message(), {})
    found = doctor(world)
    assert found["status"] == "failing"
    assert found["detail"].startswith(
        "github: all 2 requests of the last 24 hours refused, the last at 2026-11-23 20:30"
    )
    assert "signature" in found["detail"]
    assert "secrets" in found["nextStep"]


def test_the_doctor_says_that_counts_cannot_be_read() -> None:
    """No exception."""

    def down(*_: Any) -> Any:
        raise Unavailable("table")

    world = a_world()
    world.counters.read = down  # type: ignore[method-assign]
    assert doctor(world)["status"] == "unknown"


@pytest.mark.parametrize(("source", "status"), [("okta", 200), ("plain", 404), ("nobody", 404)])
def test_okta_is_answered_once(source: str, status: int) -> None:
    """Its one-time verification by GET, for a source that expects it."""
    verify = {"type": "header", "header": "Authorization", "secrets": ["k"]}
    world = a_world({"okta": {"verify": verify, "challenge": "okta"}, "plain": {"verify": verify}})
    url, headers = f"{BASE}/api/webhooks/{source}", {"X-Okta-Verification-Challenge": "a-b_c=="}
    asked = request("GET", url=url, headers=headers, route_params={"source": source})
    response = world.relay.webhooks.get_webhook(asked)
    assert response.status_code == status
    if status == 200:
        assert json.loads(response.get_body()) == {"verification": "a-b_c=="}
        none = request("GET", url=url, headers={}, route_params={"source": source})
        assert world.relay.webhooks.get_webhook(none).status_code == 404


def test_an_empty_array_is_taken() -> None:
    """202 with an empty list: a sender had nothing to say."""
    response, answer = send(a_world(), "eventgrid", [], KEY)
    assert (response.status_code, answer) == (202, {"value": []})


@pytest.mark.parametrize("updates", [{}, a_message(), {"value": [], "Count": 2}, None, "x"])
def test_a_wrong_shape_points_at_its_place(updates: Any) -> None:
    """As PowerShell makes it of an array of one: ``/updates`` must be an array, at the batch and at the webhook."""
    world = a_world()
    _, webhook = send(world, "eventgrid", {"updates": updates}, KEY)
    _, batch = ask(world.relay.batch.post_batch, "POST", {"updates": updates})
    for body in (webhook, batch):
        assert body["errors"] == [{"pointer": "/updates", "detail": "must be an array"}]
