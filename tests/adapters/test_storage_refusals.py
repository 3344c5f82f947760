"""Storage that refuses the app is told from storage that is away."""

import pytest

from emulator.azurite import ACCOUNT
from emulator.children import free_ports
from shared.service.ports.storage import Denied, Unavailable
from shared.settings import Settings
from shared.wiring.adapters import Ports, connect
from tests.adapters.sockets import answering, serving

KEY = "a2V5"


def ports(port: int) -> Ports:
    """Storage there."""
    where = f"http://127.0.0.1:{port}/{ACCOUNT}"
    text = f"AccountName={ACCOUNT};AccountKey={KEY};QueueEndpoint={where};TableEndpoint={where}"
    return connect(Settings.from_environ({"UPDATES_STORAGE": text}))


@pytest.mark.parametrize("status", ["403 Forbidden", "401 Unauthorized"])
def test_a_refusal_is_denied(status: str) -> None:
    """Queue and table."""
    with serving(answering(status, b"")) as server:
        outside = ports(server.port)
        for touch in (outside.queue.touch, outside.counters.touch):
            with pytest.raises(Denied):
                touch()


def test_a_server_that_is_not_there_is_unavailable() -> None:
    """It refuses nobody."""
    outside = ports(free_ports(1)[0])
    for touch in (outside.queue.touch, outside.counters.touch):
        with pytest.raises(Unavailable) as caught:
            touch()
        assert not isinstance(caught.value, Denied)


@pytest.mark.parametrize(
    ("status", "header", "code"),
    [
        ("403 Forbidden", "AuthorizationPermissionMismatch", "AuthorizationPermissionMismatch"),
        ("403 Forbidden", "AuthenticationFailed", "AuthenticationFailed"),
        ("409 Conflict", "QueueBeingDeleted", "QueueBeingDeleted"),
        ("403 Forbidden", None, None),
    ],
)
def test_storage_that_answers_gives_its_own_code(status: str, header: str | None, code: str | None) -> None:
    """The doctor has a next step for each."""
    play = answering(status, b"", f"x-ms-error-code: {header}\r\n" if header else "")
    with serving(play) as server:
        outside = ports(server.port)
        for touch in (outside.queue.touch, outside.counters.touch):
            with pytest.raises(Unavailable) as raised:
                touch()
            assert raised.value.code == code


def test_storage_that_is_not_there_says_why() -> None:
    """By the cause of the network."""
    outside = ports(free_ports(1)[0])
    with pytest.raises(Unavailable) as raised:
        outside.queue.touch()
    assert (raised.value.code, str(raised.value)) == ("refused", "queue: the connection was refused")


def test_storage_that_asks_for_a_long_wait_is_not_waited_for() -> None:
    """The SDK would sleep for 300 s in place; the queue is the patient one."""
    with serving(answering("503 Server Busy", b"", "Retry-After: 300\r\nx-ms-error-code: ServerBusy\r\n")) as server:
        outside = ports(server.port)
        for touch in (outside.queue.touch, outside.counters.touch):
            with pytest.raises(Unavailable):
                touch()
