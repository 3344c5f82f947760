"""``NOTICES``: every fault is named when the app starts, and no value of it is shown."""

import json
from typing import Any

import pytest

from shared.core.delivery.notice_destination import (
    EventGridDestination,
    QueueDestination,
    WebhookDestination,
    destination_of,
)
from shared.settings import InvalidSettings, Settings
from shared.settings.storage import Storage

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"  # pragma: allowlist secret
WEBHOOK = {"type": "webhook", "url": "https://hooks.example/in?sig=a%2Fb", "secrets": [SECRET]}
QUEUE = {"type": "queue", "connection": "NOTICES_STORAGE", "queue": "outcomes"}
EVENT_GRID = {
    "type": "eventGrid",
    "endpoint": "https://t.westeurope-1.eventgrid.azure.net/api/events",
    "audience": "https://eventgrid.azure.net",
}


def loaded(notices: Any, **more: str) -> Settings:
    """Return settings with these notices."""
    text = notices if isinstance(notices, str) else json.dumps(notices)
    return Settings.from_environ({"UPDATES_STORAGE": "UseDevelopmentStorage=true", "NOTICES": text} | more)


def fault(notices: Any, **more: str) -> str:
    """Return the one message of settings that stop the app."""
    with pytest.raises(InvalidSettings) as raised:
        loaded(notices, **more)
    return str(raised.value)


def test_each_type_is_read() -> None:
    """By source; the connection is a setting, or a prefix, in the Functions host's convention."""
    settings = loaded(
        {"jamf": WEBHOOK, "*": QUEUE, "hr": EVENT_GRID},
        NOTICES_STORAGE__queueServiceUri="https://x.queue.core.windows.net",
        NOTICES_STORAGE__credential="managedidentity",
    )
    assert settings.notices == {
        "jamf": WebhookDestination(WEBHOOK["url"], (SECRET,)),  # type: ignore[arg-type]
        "*": QueueDestination("NOTICES_STORAGE", "outcomes"),
        "hr": EventGridDestination(EVENT_GRID["endpoint"], EVENT_GRID["audience"]),
    }
    assert settings.notice_storages == {
        "NOTICES_STORAGE": Storage(None, "https://x.queue.core.windows.net", None, "managedidentity", None)
    }
    assert (settings.notices_queue, settings.notices_poison_queue) == (
        "compliance-updates-notices",
        "compliance-updates-notices-poison",
    )


def test_a_connection_string_needs_no_tables() -> None:
    """Nor does the app's own storage need to be described twice."""
    account = "QueueEndpoint=https://x.queue.example;SharedAccessSignature=sig"
    assert loaded({"*": QUEUE}, NOTICES_STORAGE=account).notice_storages["NOTICES_STORAGE"].connection_string == account
    own = loaded({"*": QUEUE | {"connection": "UPDATES_STORAGE"}})
    assert own.notice_storages["UPDATES_STORAGE"].connection_string == "UseDevelopmentStorage=true"


def test_plain_http_is_for_loopback_and_unset_means_none() -> None:
    """An emulator's receiver is one."""
    assert loaded({"*": WEBHOOK | {"url": "http://127.0.0.1:7099/hook"}}).notices
    assert loaded({"*": EVENT_GRID | {"endpoint": "http://localhost:7099/api/events"}}).notices
    assert loaded({"*": WEBHOOK | {"secrets": [SECRET + "WFlaQQ==", SECRET]}}).notices
    assert not loaded("").notices
    assert not loaded({}).notices


@pytest.mark.parametrize(
    ("notices", "named"),
    [
        ("[", "Expecting value"),
        ([], "it is not a JSON object"),
        ({"a b": WEBHOOK}, "the name 'a b'"),
        ({"x": 1}, "x must be"),
        ({"x": {}}, "x.type is required"),
        ({"x": {"type": "email"}}, "x.type"),
        ({"x": WEBHOOK | {"url": "http://hooks.example/in"}}, "x.url must be an https URL"),
        ({"x": WEBHOOK | {"url": "http://127.0.0.1.evil.example"}}, "x.url must be an https URL"),
        ({"x": WEBHOOK | {"url": "https://user:word@hooks.example"}}, "x.url must be"),  # pragma: allowlist secret
        ({"x": WEBHOOK | {"url": "https://hooks.example:99999"}}, "x.url must be"),
        ({"x": WEBHOOK | {"url": "https://[::1"}}, "x.url must be"),
        ({"x": WEBHOOK | {"url": ""}}, "x.url must be"),
        ({"x": WEBHOOK | {"secrets": []}}, "x.secrets"),
        ({"x": WEBHOOK | {"secrets": [SECRET[:-4]]}}, "x.secrets.0 must be whsec_ and the base64 of at least 24"),
        ({"x": WEBHOOK | {"secrets": [SECRET[6:]]}}, "x.secrets.0 must be whsec_"),
        ({"x": WEBHOOK | {"secrets": [SECRET, SECRET + "!"]}}, "x.secrets.1 must be whsec_"),
        ({"x": WEBHOOK | {"secrets": [7]}}, "x.secrets.0"),
        ({"x": WEBHOOK | {"secrets": "whsec_"}}, "x.secrets"),  # pragma: allowlist secret
        ({"x": WEBHOOK | {"header": "X"}}, "x.header is not known here"),
        ({"x": QUEUE | {"queue": "Upper"}}, "x.queue"),
        ({"x": QUEUE | {"queue": "a--b"}}, "x.queue"),
        ({"x": QUEUE | {"queue": "q" * 64}}, "x.queue"),
        ({"x": QUEUE | {"connection": "a b"}}, "x.connection"),
        ({"x": QUEUE}, "NOTICES_STORAGE is missing"),
        ({"x": EVENT_GRID | {"endpoint": "ftp://t.example"}}, "x.endpoint must be an https URL"),
        ({"x": EVENT_GRID | {"audience": "eventgrid"}}, "x.audience must be an https URL"),
        ({"x": {"type": "eventGrid"}}, "x.endpoint is required"),
    ],
)
def test_a_fault_is_named_and_nothing_shown(notices: Any, named: str) -> None:
    """Not a secret, and no URL either: it may hold a key."""
    text = fault(notices)
    assert named in text
    assert SECRET[6:20] not in text
    assert "hooks.example" not in text


def test_all_faults_come_in_one_message() -> None:
    """Of every destination, and of its connection."""
    text = fault({"x": WEBHOOK | {"url": "x", "secrets": ["y"]}, "z": {"type": "queue"}}, NOTICES_STORAGE="nonsense")
    for named in ("x.url", "x.secrets.0", "z.connection", "z.queue"):
        assert named in text
    assert "NOTICES_STORAGE = (not shown)" in fault({"x": QUEUE}, NOTICES_STORAGE="nonsense")


@pytest.mark.parametrize(("source", "name"), [("hr", "hr"), ("jamf", "*"), (None, "*"), ("*", "*")])
def test_a_source_has_its_own_destination_or_that_of_all(source: str | None, name: str) -> None:
    """And none where neither is there."""
    assert destination_of(source, {"hr": 1, "*": 2}) == name
    assert destination_of(source, {"hr": 1}) == (source if source == "hr" else None)
