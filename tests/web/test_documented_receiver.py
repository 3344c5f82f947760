"""The receiver of ``docs/webhooks.md`` verifies what the relay sends, and nothing else."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from emulator.children import free_ports
from emulator.stack import until
from shared.adapters.notice_receivers import HttpPost, WebhookReceiver
from shared.core.delivery.notice_destination import notice_destinations
from shared.service.ports.notices import NotTaken, Taken
from tests.service.notices.receiving import SECRET, noticing

DOCUMENT = (Path(__file__).parent.parent.parent / "docs" / "webhooks.md").read_text()


def block(kind: str) -> str:
    """Return the text of a code block of the document."""
    found = re.search(rf"(?ms)^```{kind}\n(.*?)^```", DOCUMENT)
    assert found, kind
    return found[1]


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The documented program, running; its URL, and the file of what it prints."""
    program, output = tmp_path / "receiver.py", tmp_path / "output.txt"
    program.write_text(block("python receiver"))
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with output.open("w") as out:
        child = subprocess.Popen([sys.executable, str(program), SECRET, str(port)], stdout=out)
        try:
            until(lambda: _answers(url), 20, "the receiver to listen")
            yield url, output
        finally:
            child.terminate()
            child.wait()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code > 0
    except requests.RequestException:
        return False


def test_the_documented_receiver_takes_what_the_relay_signs(receiver: tuple[str, Path]) -> None:
    """Once, although it comes twice; nothing that another secret has signed."""
    url, output = receiver
    world = noticing()
    update_id = world.accept()
    world.run()
    world.send_notices()
    (event,) = world.receivers["*"].events
    post = HttpPost(url, user_agent="relay", pool_size=1)

    ours = WebhookReceiver(post, (SECRET,), lambda: datetime.now(UTC))
    assert [ours.send(event), ours.send(event)] == [Taken(), Taken()]
    others = WebhookReceiver(post, (f"{SECRET[:-4]}AAAA",), lambda: datetime.now(UTC))
    assert others.send(event) == NotTaken("it answered 401")

    assert output.read_text().splitlines() == [f"ComplianceStatusRelay.Update.Succeeded {update_id}"]


def test_the_documented_setting_and_event_are_what_the_relay_reads_and_sends() -> None:
    """The setting but for its secret; the event's members are those of real ones."""
    described = json.loads(block("json notices").replace("whsec_...", SECRET))
    assert set(notice_destinations(described)) == {"jamf", "hr", "*"}
    documented = json.loads(block("json event"))
    world = noticing()
    world.accept(source="jamf")
    world.run()
    world.send_notices()
    (event,) = world.receivers["*"].events
    assert documented.keys() == event.keys()
    assert documented["data"].keys() <= event["data"].keys()
