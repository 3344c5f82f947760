"""The emulated host does with messages what Microsoft's host did."""

import base64
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

from emulator.stack import Host, azurite, started, until
from tests.emulator.host_answers import cases, copy_app, read_records

pytestmark = pytest.mark.azurite

CASES = {case["name"]: case for case in cases("queue")}
QUEUES = ("ha-record", "ha-binary", "ha-fail", "ha-sleep", "ha-own-poison")
_DAYS = 7


@dataclass
class World:
    """A host that was given all messages, and their ids by case."""

    encoding: str
    connection: str
    records: Path
    ids: dict[str, str] = field(default_factory=dict)
    dead_at_first: list[tuple[str, QueueMessage]] = field(default_factory=list)

    def queue(self, name: str) -> QueueClient:
        return QueueClient.from_connection_string(self.connection, name)

    def put(self, queue: str, put: dict[str, Any]) -> str:
        sent = self.queue(queue).send_message(self.text(put), time_to_live=put.get("timeToLive"))
        return str(sent.id)

    def text(self, put: dict[str, Any]) -> str:
        """The text of a message on the queue."""
        match put:
            case {"text": text}:
                return filled(text)
            case {"base64Of": text}:
                return base64.b64encode(filled(text).encode()).decode()
            case {"encodedAsTheHostWants": text}:
                return base64.b64encode(text.encode()).decode() if self.encoding == "base64" else str(text)
        raise AssertionError(put)

    def seen(self, message: str) -> list[dict[str, Any]]:
        """What its function saw of a message, try by try."""
        return [
            record for record in read_records(self.records) if record["event"] == "seen" and record.get("id") == message
        ]

    def dead(self, queue: str) -> list[QueueMessage]:
        """What is in a queue's poison queue, if there is one."""
        try:
            return list(self.queue(f"{queue}-poison").peek_messages(max_messages=32))
        except ResourceNotFoundError:
            return []

    def left(self, queue: str) -> int:
        """How many messages a queue has, hidden ones included."""
        return self.queue(queue).get_queue_properties().approximate_message_count or 0


def filled(text: str) -> str:
    """``{a*9}`` is ``aaaaaaaaa``."""
    letter, star, count = text.strip("{}").partition("*")
    return letter * int(count) if star and text.startswith("{") else text


@pytest.fixture(scope="module", params=["none", "base64"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """All messages at once, until nothing is left to be done with them."""
    folder = tmp_path_factory.mktemp("host")
    records = folder / "records"
    with azurite() as storage:
        stored = dict.fromkeys(("AzureWebJobsStorage", "ANSWERS_STORAGE"), storage.connection_string)
        env = stored | {"ANSWERS_FILE": str(records)}
        found = World(request.param, storage.connection_string, records)
        for queue in QUEUES:
            found.queue(queue).create_queue()
        with started(Host(copy_app(folder, request.param), env)):
            found.ids = {name: found.put(case["queue"], case["put"]) for name, case in CASES.items()}
            hidden = sum(case[request.param]["end"] == "hidden" for case in CASES.values())
            until(lambda: found.left("ha-record") + found.left("ha-fail") == 0, 40, "empty queues")
            until(lambda: found.left("ha-own-poison") == hidden, 20, "the hidden messages alone")
            found.dead_at_first = [(queue, dead) for queue in QUEUES for dead in found.dead(queue)]
            yield found


def test_what_the_function_sees(world: World) -> None:
    """So many tries, the dequeue count going up, and the recorded body and metadata each time."""
    for name, case in CASES.items():
        wanted, seen = case[world.encoding], world.seen(world.ids[name])
        assert [record["dequeue_count"] for record in seen] == list(range(1, wanted["tries"] + 1)), name
        for record in seen:
            for member, value in wanted["seen"].items():
                assert record[member] == value or (value == "*" and record[member]), (name, member)


def test_what_goes_to_poison(world: World) -> None:
    """The text as it was, a new id, no dequeue count, seven days."""
    ends = ((case["queue"], world.text(case["put"]), case[world.encoding]["end"]) for case in CASES.values())
    assert Counter((queue, dead.content) for queue, dead in world.dead_at_first) == Counter(
        (queue, text) for queue, text, end in ends if end == "poison"
    )
    for _, dead in world.dead_at_first:
        assert dead.id not in world.ids.values()
        assert dead.dequeue_count == 0
        assert dead.expires_on
        assert dead.inserted_on
        assert (dead.expires_on - dead.inserted_on).days == _DAYS


def test_a_poison_queue_has_no_poison_queue(world: World) -> None:
    """What fails there stays hidden for its lease, and goes nowhere."""
    assert world.left("ha-own-poison") == 2 - (world.encoding == "none")
    assert not world.queue("ha-own-poison").peek_messages(max_messages=32)
    with pytest.raises(ResourceNotFoundError):
        world.queue("ha-own-poison-poison").get_queue_properties()


def test_a_body_is_not_taken_for_metadata_where_the_binding_is_binary(world: World) -> None:
    """Members of a JSON object overwrite the metadata of any other binding (docs/graph-facts.md#f90)."""
    body = json.dumps({"ID": "theirs", "dequeueCount": 7, "insertionTime": "2020-01-01T00:00:00Z", "other": []})
    ids = {queue: world.put(queue, {"encodedAsTheHostWants": body}) for queue in ("ha-record", "ha-binary")}
    until(lambda: bool(world.seen("theirs") and world.seen(ids["ha-binary"])), 20, "both messages")
    (theirs,), (own,) = world.seen("theirs"), world.seen(ids["ha-binary"])
    assert theirs["dequeue_count"] == 7
    assert theirs["insertion_time"].startswith("2020-01-01")
    assert (own["dequeue_count"], own["insertion_time"][:4] > "2020", own["length"]) == (1, True, len(body))


def test_a_body_with_a_time_that_is_none_fails_before_the_function(world: World) -> None:
    """Three times, and then it is poison; nobody has seen it."""
    text = json.dumps({"insertionTime": "yesterday", "mark": world.encoding})
    message = world.put("ha-record", {"encodedAsTheHostWants": text})
    whole = world.text({"encodedAsTheHostWants": text})
    until(lambda: whole in {dead.content for dead in world.dead("ha-record")}, 30, "the poison copy")
    assert not world.seen(message)


def test_so_many_run_at_once(world: World) -> None:
    """``batchSize`` plus ``newBatchThreshold``, each queue for itself."""
    ids = [world.put("ha-sleep", {"encodedAsTheHostWants": "0.5"}) for _ in range(24)]
    until(lambda: all(world.seen(message) for message in ids), 30, "all messages")
    assert max(record["running"] for message in ids for record in world.seen(message)) in range(12, 17)


def test_a_queue_function_gets_no_trace(world: World) -> None:
    """The host's span is not the sender's."""
    traces = {record["trace"] for message in world.ids.values() for record in world.seen(message) if "trace" in record}
    assert traces == {""}
