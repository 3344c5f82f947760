"""The exact requests that the Graph adapter puts on the wire."""

import json
from pathlib import Path

import pytest

from tests.adapters.graph_client import GUID, graph
from tests.adapters.sockets import answering, serving
from tests.builders import EXAMPLE, POLICY, USER


def test_the_request_is_the_documented_one() -> None:
    """Path, headers and body, as they arrive on the wire."""
    with serving(answering(body=b'{"id": "x"}')) as server:
        answer = graph(server.url).patch_user_status(POLICY, USER, EXAMPLE, token="secret-token")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines[1:])}

    path = f"/beta/deviceManagement/deviceCompliancePolicies/{POLICY}/userStatuses/{USER}"
    assert lines[0] == f"PATCH {path} HTTP/1.1"
    assert headers["authorization"] == "Bearer secret-token"
    assert headers["accept"] == headers["content-type"] == "application/json"
    assert headers["client-request-id"] == answer.reply.client_request_id == GUID
    assert headers["user-agent"].startswith("ComplianceStatusRelay/")
    sent = json.loads(body)
    assert sent == {"@odata.type": "#microsoft.graph.deviceComplianceUserStatus"} | EXAMPLE
    assert next(iter(sent)) == "@odata.type"
    assert b"2017-01-01T00:00:17.7769392-08:00" in body
    assert answer.reply.result == {"id": "x"}


@pytest.mark.parametrize(
    ("user", "segment"),
    [("a~b.c@d:e_f-g", "a~b.c%40d%3Ae_f-g"), ("../x", "..%2Fx"), ("a'b?c#d", "a%27b%3Fc%23d"), ("%2f", "%252f")],
)
def test_an_id_never_leaves_its_segment(user: str, segment: str) -> None:
    """Percent-encoded, also where the parser would have refused it."""
    with serving(answering()) as server:
        graph(server.url).patch_user_status(POLICY, user, EXAMPLE, token="t")
    assert server.requests[0].split(b" ")[1].decode().rpartition("/")[2] == segment


def test_no_netrc_takes_the_tokens_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine's user keeps there."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with serving(answering()) as server:
        graph(server.url).patch_user_status(POLICY, USER, EXAMPLE, token="t")
    assert b"Authorization: Bearer t" in server.requests[0]
