"""A notice is sent, waits, or is dropped and counted; a broken receiver costs little and delays no other."""

import base64
import json
from datetime import timedelta

import pytest

from shared.core.delivery.graph_reply import GraphReply
from shared.core.delivery.notice import Notice, read_notice
from shared.service.notices.send import HELD_AFTER
from shared.service.ports.notices import Gone, NotTaken
from tests.builders import NOW, POLICY, USER, an_id
from tests.service.lives import NAME, erase, finished, lived
from tests.service.notices.receiving import WEBHOOK, ids, noticing
from tests.web.caller import URL, ask
from tests.world import World

BROKEN = NotTaken("it answered 500")


def counted(world: World) -> dict[str, int]:
    """Return what statistics say of notices."""
    _, answer = ask(world.relay.stats.get_stats, url=URL.replace("updates", "stats"))
    return dict(answer["notices"])


def test_the_event_is_the_update_without_anything_personal() -> None:
    """Ids, times, states and codes, as CloudEvents 1.0."""
    world = noticing()
    update_id = world.accept(source="hr", idempotencyKey="k-1")
    world.run()
    world.send_notices()

    (event,) = world.receivers["*"].events
    data = event["data"]
    assert {name: event[name] for name in ("specversion", "type", "id", "source", "subject", "datacontenttype")} == {
        "specversion": "1.0",
        "type": "ComplianceStatusRelay.Update.Succeeded",
        "id": update_id,
        "source": "/api/updates",
        "subject": f"{POLICY}/{USER}",
        "datacontenttype": "application/json",
    }
    assert event["time"] == data["lastActionDateTime"]
    whole = world.resource(update_id)
    assert data == {name: whole[name] for name in whole if name not in ("userStatus", "result")}
    assert (data["source"], data["idempotencyKey"], data["statusDetail"]) == ("hr", "k-1", "delivered")


def test_no_event_names_a_person() -> None:
    """Whatever became of her updates, and whoever wrote her name into an error."""
    world = noticing()
    lived(world)
    world.send_notices()
    events = world.receivers["*"].events
    for event in events:
        data = dict(event["data"])
        # The sender's own key is what it finds its update by, and Graph's request ids are what support asks for.
        data.pop("idempotencyKey")
        text = json.dumps(event | {"data": data | {"attempts": [], "error": (data["error"] or {}).get("code")}})
        assert "ada.lovelace" not in text.lower()
    assert {event["type"].rsplit(".", 1)[1] for event in events} == {"Succeeded", "Failed", "Canceled"}
    assert not {"message", "errors"} & {name for event in events for name in event["data"]["error"] or {}}


def test_what_was_erased_meanwhile_is_in_no_event() -> None:
    """The event is made when it is sent."""
    world = noticing()
    ended = lived(world)
    finished(world, erase(world))
    world.send_notices(most=2000)
    assert ids(world) == ended
    assert NAME.lower() not in json.dumps(list(world.receivers["*"].events)).lower()


def test_a_notice_that_is_not_taken_is_tried_again_until_a_day_has_passed() -> None:
    """With growing pauses, counted when it is dropped."""
    world = noticing()
    update_id = world.accept()
    world.run()
    world.receivers["*"].replies = [BROKEN] * 5
    world.send_notices()
    assert ids(world) == [update_id]
    assert counted(world) == {"sent": 1, "waiting": 0, "dropped": 0}

    world.receivers["*"].replies = [BROKEN] * 1000
    world.accept()
    world.run()
    ended = world.clock.now()
    world.send_notices(most=2000)
    assert counted(world) == {"sent": 1, "waiting": 0, "dropped": 1}
    assert timedelta(hours=23) < world.clock.now() - ended < timedelta(hours=24)
    assert world.receivers["*"].attempts < 200


def test_410_ends_the_notices_of_that_source_alone() -> None:
    """Until the app restarts."""
    world = noticing(json.dumps({"hr": WEBHOOK, "*": WEBHOOK}))
    world.receivers["hr"].replies = [Gone()]
    for source in ("hr", "hr", "jamf"):
        world.accept(source=source)
    world.run()
    world.send_notices()
    assert (world.receivers["hr"].attempts, len(ids(world))) == (1, 1)
    assert counted(world) == {"sent": 1, "waiting": 0, "dropped": 2}


def test_a_receiver_that_is_down_gets_one_notice_at_a_time() -> None:
    """The others wait without a call; each is sent when it is back."""
    world = noticing()
    accepted = [world.accept(deviceComplianceUserStatusId=f"user-{n}") for n in range(40)]
    world.run()
    receiver = world.receivers["*"]
    receiver.replies = [BROKEN] * 1000
    for _ in accepted:
        message = world.notices.receive()
        assert message is not None
        world.relay.send_notice(message.text.encode())
        world.notices.delete(message)
    assert receiver.attempts == HELD_AFTER
    assert counted(world)["waiting"] == len(accepted)

    receiver.replies = []
    world.send_notices()
    assert ids(world) == sorted(accepted)


def test_a_notice_of_a_purged_update_or_without_a_destination_is_dropped() -> None:
    """And so is what is no notice; nothing of that is put back."""
    world = noticing(json.dumps({"hr": WEBHOOK}))
    world.accept(source="hr")
    world.run()
    text = world.notices.messages[0].text
    world.outcomes.rows.clear()
    world.send_notices()
    for body in (text.replace('"hr"', '"jamf"').encode(), b"", b"[]", b"\xff", b'{"id": "x"}'):
        world.relay.send_notice(body)
    assert not world.notices.messages
    assert not ids(world, "hr")


def test_a_notice_that_the_host_gave_up_comes_back() -> None:
    """Until its day has passed."""
    world = noticing()
    update_id = world.accept()
    world.run()
    message = world.notices.messages.pop()
    world.relay.send_notice.poisoned(message.text.encode())
    world.send_notices()
    assert ids(world) == [update_id]

    world.clock.step(hours=25)
    world.relay.send_notice.poisoned(message.text.encode())
    world.relay.send_notice.poisoned(b"x")
    assert not world.notices.messages


@pytest.mark.parametrize(
    "body",
    [b"1e400", b'"x"', b"{}", b'{"id": 1, "dueDateTime": "2026-11-25T00:00:00+00:00", "attempt": 1}', b"[" * 100_000],
)
def test_what_is_no_notice_is_read_as_none(body: bytes) -> None:
    """A stranger's message breaks nothing."""
    assert read_notice(body) is None


def test_a_notice_in_base64_is_read() -> None:
    """So it comes from the outbox: the host decodes nothing."""
    notice = Notice(an_id(), NOW, "hr", 3)
    assert read_notice(notice.to_json().encode()) == read_notice(base64.b64encode(notice.to_json().encode())) == notice


def test_a_failed_updates_event_keeps_its_code_and_graphs_ids() -> None:
    """Not its words."""
    world = noticing()
    world.graph.replies = [GraphReply(400, code="BadRequest", message=f"No user {NAME}", request_id="r-1")]
    world.accept()
    world.run()
    world.send_notices()
    (event,) = world.receivers["*"].events
    assert event["type"] == "ComplianceStatusRelay.Update.Failed"
    assert event["data"]["error"]["code"] == "graphRejected"
    assert event["data"]["error"]["innerError"]["requestId"] == "r-1"
    assert NAME not in json.dumps(event)
    assert event["time"].startswith(NOW.date().isoformat())
