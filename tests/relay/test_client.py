"""The client: redirects and links."""

import json
from typing import Any

from tests.relay.process import run
from tests.relay.relay_server import listening

KEY = "the-function-key-itself"


def test_the_key_follows_no_redirect_and_no_link_to_another_host() -> None:
    """The next page is requested at the relay's own address."""
    seen: list[dict[str, str]] = []

    def other(_method: str, _target: str, headers: dict[str, str], _body: bytes) -> Any:
        seen.append(headers)
        return 200, {}, b"{}"

    with listening(other) as elsewhere:

        def redirecting(_method: str, target: str, _headers: dict[str, str], _body: bytes) -> Any:
            if "source=moved" in target:
                return 307, {"Location": f"{elsewhere}/api/updates"}, b""
            link = None if "continuation" in target else f"{elsewhere}/api/updates?continuation=next"
            return 200, {}, json.dumps({"value": [], "nextLink": link}).encode()

        with listening(redirecting) as url:
            moved = run(url, "list", "--key", KEY, "--source", "moved")
            linked = run(url, "list", "--key", KEY, "--all", "--json")
    assert (moved.status, "address is another one" in moved.err) == (1, True)
    assert linked.json == {"value": []}
    assert seen == []
