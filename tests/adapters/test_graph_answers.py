"""Every way in which an answer of Graph can go wrong."""

import gzip
import socket
import struct

import pytest

from shared.core.delivery.graph_reply import TransportFault
from shared.core.delivery.reply_kind import ReplyKind
from tests.adapters.graph_client import reply
from tests.adapters.sockets import Play, answering, serving


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


def test_a_huge_or_zipped_body_is_read_to_its_bound_only() -> None:
    """No answer can fill the memory."""
    huge = reply(answering("500 Internal Server Error", b"x" * 5_000_000))
    bomb = reply(answering("500 Oops", gzip.compress(b"x" * 50_000_000), "Content-Encoding: gzip\r\n"))
    big = reply(answering(body=b'{"x": "' + b"y" * 300_000 + b'"}'))
    assert (huge.status_code, bomb.status_code) == (500, 500)
    assert (big.status_code, big.kind) == (200, ReplyKind.UNREADABLE_SUCCESS)
