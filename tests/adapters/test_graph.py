"""The Graph adapter on real sockets: the exact request, and every way in which an answer can go wrong."""

import gzip
import json
import socket
import struct
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from emulator.children import free_ports
from shared.adapters.graph import GraphClient
from shared.core.delivery.graph_reply import GraphReply, TransportFault
from shared.core.delivery.reply_kind import ReplyKind
from tests.adapters.sockets import Play, answering, serving
from tests.builders import EXAMPLE, POLICY, USER

GUID = "11111111-2222-4333-8444-555555555555"


def graph(root: str, seconds: float = 20) -> GraphClient:
    """An adapter of that root."""
    return GraphClient(
        root=root,
        api_version="beta",
        timeout_seconds=seconds,
        pool_size=4,
        user_agent="ComplianceStatusRelay/1.0",
        clock=lambda: datetime.now(UTC),
        new_guid=lambda: GUID,
    )


def reply(play: Play, seconds: float = 20, **properties: Any) -> GraphReply:
    """What a server's answer is read as."""
    with serving(play) as server:
        return graph(server.url, seconds).patch_user_status(POLICY, USER, properties or EXAMPLE, token="t").reply


@pytest.fixture
def endless() -> Iterator[threading.Event]:
    """Set when the test is over, so that no server outlives it."""
    over = threading.Event()
    yield over
    over.set()


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


def test_a_redirect_is_an_answer_like_any_other() -> None:
    """The token goes nowhere else."""
    with serving(answering()) as elsewhere:
        got = reply(answering("307 Temporary Redirect", b"", f"Location: {elsewhere.url}/x\r\n"))
    assert got.status_code == 307
    assert not elsewhere.requests


@pytest.mark.parametrize(
    ("play", "readable"),
    [
        (answering("204 No Content", b""), True),
        (answering(body=b"<html>"), False),
        (answering(body=b"  "), True),
        (answering(body=b"null"), True),
        (answering(body=b'{"error": {"code": "generalException"}}'), False),
    ],
)
def test_a_2xx_needs_json_or_nothing(play: Play, readable: bool) -> None:
    """Anything else proves nothing."""
    got = reply(play)
    assert got.status_code in (200, 204)
    assert (got.kind is ReplyKind.SUCCESS) is readable


def reset(connection: socket.socket, _: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def silent_close(connection: socket.socket, _: bytes) -> None:
    connection.close()


def half_a_head(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 O")


def not_http(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")


@pytest.mark.parametrize("play", [reset, silent_close, not_http])
def test_a_connection_that_breaks_may_have_carried_the_write(play: Play) -> None:
    """It was sent, and no one knows more."""
    assert reply(play).transport is TransportFault.DISCONNECTED


def test_a_head_that_is_cut_off_is_no_success() -> None:
    """Although http.client reads it as a 200 without body."""
    assert reply(half_a_head).kind is ReplyKind.UNREADABLE_SUCCESS


def test_a_truncated_2xx_is_not_readable() -> None:
    """Its length promised more."""

    def truncated(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"id"')

    got = reply(truncated)
    assert (got.status_code, got.kind) == (200, ReplyKind.UNREADABLE_SUCCESS)


HALF = b'{"error": {"code": "TooManyReq'
CUT = b"Content-Length: 1000\r\n\r\n" + HALF
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\nff\r\n" + HALF
FALSELY_ZIPPED = b"Content-Encoding: gzip\r\nContent-Length: 30\r\n\r\n" + HALF


@pytest.mark.parametrize("rest", [CUT, CHUNKED, FALSELY_ZIPPED])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, ReplyKind.THROTTLED),
        (403, ReplyKind.FORBIDDEN),
        (400, ReplyKind.BROKEN),
        (503, ReplyKind.UNAVAILABLE),
        (200, ReplyKind.UNREADABLE_SUCCESS),
    ],
)
def test_a_broken_body_keeps_its_status_and_headers(status: int, kind: ReplyKind, rest: bytes) -> None:
    """It was answered: only the words are lost, and ``Retry-After`` counts."""
    head = f"HTTP/1.1 {status} X\r\nRetry-After: 7\r\nrequest-id: r-1\r\n".encode()
    got = reply(lambda connection, _: connection.sendall(head + rest))
    assert (got.status_code, got.kind, got.transport) == (status, kind, None)
    assert (got.retry_after_seconds, got.request_id) == (7, "r-1")


def test_an_interim_answer_is_no_answer() -> None:
    """Whether the write was applied is unknown."""
    got = reply(lambda connection, _: connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n"))
    assert got.kind is ReplyKind.INTERIM


def test_a_server_that_is_not_there_was_never_sent_anything() -> None:
    """Refused, or a name that nobody has."""
    for root in (f"http://127.0.0.1:{free_ports(1)[0]}", "http://nobody.invalid"):
        got = graph(root).patch_user_status(POLICY, USER, EXAMPLE, token="t").reply
        assert got.transport is TransportFault.UNREACHABLE


def test_silence_ends_at_the_limit() -> None:
    """A hung server costs one limit."""
    assert reply(lambda connection, _: connection.recv(1) and None, seconds=1).transport is TransportFault.TIMEOUT


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", ReplyKind.TIMEOUT),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", ReplyKind.UNREADABLE_SUCCESS),
        (b"HTTP/1.1 429 Slow\r\nContent-Length: 100000\r\n\r\n", ReplyKind.THROTTLED),
    ],
)
def test_a_dripping_server_is_cut_off_at_the_limit(endless: threading.Event, head: bytes, kind: ReplyKind) -> None:
    """In its headers or its body: the limit is for the whole call, and a whole head is an answer."""

    def drip(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head)
        text = b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 if not head else b" " * 100_000
        for byte in text:
            if endless.wait(0.05):
                return
            connection.sendall(bytes([byte]))

    assert reply(drip, seconds=1).kind is kind


def test_a_huge_or_zipped_body_is_read_to_its_bound_only() -> None:
    """No answer can fill the memory."""
    huge = reply(answering("500 Internal Server Error", b"x" * 5_000_000))
    bomb = reply(answering("500 Oops", gzip.compress(b"x" * 50_000_000), "Content-Encoding: gzip\r\n"))
    big = reply(answering(body=b'{"x": "' + b"y" * 300_000 + b'"}'))
    assert (huge.status_code, bomb.status_code) == (500, 500)
    assert (big.status_code, big.kind) == (200, ReplyKind.UNREADABLE_SUCCESS)


def test_a_connection_that_the_server_closed_while_idle_is_no_fault() -> None:
    """One is opened anew, unseen."""
    with serving(answering()) as server:
        adapter = graph(server.url)
        answers = [adapter.patch_user_status(POLICY, USER, EXAMPLE, token="t").reply.status_code for _ in range(5)]
    assert answers == [200] * 5


def test_connections_are_kept() -> None:
    """One serves many calls, also after a limit was set on each."""
    with serving(answering(), keep=True) as server:
        adapter = graph(server.url)
        for _ in range(5):
            adapter.patch_user_status(POLICY, USER, EXAMPLE, token="t")
    assert (len(server.requests), server.connections) == (5, 1)


def test_a_read_has_its_path_and_query() -> None:
    """For lists and readiness."""
    with serving(answering(body=b'{"value": []}')) as server:
        answer = graph(server.url).get(("deviceManagement", "deviceCompliancePolicies"), {"$top": "1"}, token="t")
    assert server.requests[0].startswith(b"GET /beta/deviceManagement/deviceCompliancePolicies?%24top=1 ")
    assert answer.reply.result == {"value": []}


def test_a_list_asks_for_ids_and_names_and_may_be_long() -> None:
    """A page holds more than an error may."""
    value = [{"id": f"{n:0100}", "userPrincipalName": f"user{n}@contoso.example"} for n in range(2_000)]
    with serving(answering(body=json.dumps({"value": value}).encode())) as server:
        answer = graph(server.url).list_user_statuses(POLICY, token="t")
    path = f"/beta/deviceManagement/deviceCompliancePolicies/{POLICY}/userStatuses"
    assert server.requests[0].split(b" ")[1].decode() == f"{path}?%24select=id%2CuserPrincipalName"
    assert answer.reply.result == {"value": value}


def test_a_page_that_is_too_long_is_not_readable() -> None:
    """The memory has a bound."""
    with serving(answering(body=b'{"value": ["' + b"x" * 5_000_000 + b'"]}')) as server:
        got = graph(server.url).list_user_statuses(POLICY, token="t").reply
    assert (got.status_code, got.kind) == (200, ReplyKind.UNREADABLE_SUCCESS)


def test_the_next_page_is_asked_for_as_it_was_named() -> None:
    """Character for character."""
    with serving(answering()) as server:
        link = f"{server.url}/beta/deviceManagement/deviceCompliancePolicies('x')/userStatuses?$skiptoken=a%2Fb"
        graph(server.url).list_user_statuses(POLICY, link, token="t")
    assert server.requests[0].split(b" ")[1].decode() == link.removeprefix(server.url)


@pytest.mark.parametrize(
    "link", ["{other}/beta/x", "{own}@127.0.0.2/beta/x", "//x/beta/x", "{own}/v1.0/x", "{own}", ""]
)
def test_the_token_follows_no_link_to_another_place(link: str) -> None:
    """The list is unreadable then."""
    with serving(answering()) as other, serving(answering()) as own:
        named = link.format(other=other.url, own=own.url)
        got = graph(own.url).list_user_statuses(POLICY, named, token="t").reply
    assert (got.status_code, got.kind) == (200, ReplyKind.UNREADABLE_SUCCESS)
    assert not other.requests + own.requests


def test_one_user_status_is_read_by_its_key() -> None:
    """Percent-encoded."""
    with serving(answering(body=b'{"id": "a:b"}')) as server:
        answer = graph(server.url).read_user_status(POLICY, "a:b", token="t")
    assert server.requests[0].split(b" ")[1].endswith(f"/{POLICY}/userStatuses/a%3Ab".encode())
    assert answer.reply.result == {"id": "a:b"}
