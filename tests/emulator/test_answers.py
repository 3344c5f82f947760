"""Answers that are not Graph's own, or not whole."""

import base64
import email.utils
import time
from typing import Any

import pytest
import requests

from emulator.stack import EmulatedGraph
from tests.emulator.callers import GraphCaller


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ({"kind": "firewall"}, 470, "Action: Deny"),
        ({"kind": "gateway"}, 404, "<title>404 Not Found - Contoso Gateway</title>"),
        ({"kind": "gateway", "status": 400, "title": "Bad Request"}, 400, "<title>Bad Request</title>"),
        ({"kind": "html"}, 502, "<title>502 Bad Gateway</title>"),
        ({"kind": "login"}, 302, ""),
        ({"kind": "proxy"}, 407, "<title>Proxy Authentication Required</title>"),
        ({"kind": "plainText"}, 400, "upstream connect error"),
    ],
)
def test_what_answers_in_front_of_graph(
    graph: EmulatedGraph, caller: GraphCaller, fault: dict[str, Any], status: int, words: str
) -> None:
    """The answer is no JSON, and names no request of Graph's."""
    graph.fault(**fault, count=3)
    for response in (caller.write(), caller.read(), caller.page()):
        assert (response.status_code, "request-id" in response.headers) == (status, False)
        assert words in response.text
    assert not graph.statuses()


def test_a_login_page_and_a_proxy_say_so_in_their_headers(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """``Location``, ``Proxy-Authenticate``."""
    graph.fault("login")
    graph.fault("proxy")
    assert caller.write().headers["Location"].startswith("https://login.")
    assert caller.write().headers["Proxy-Authenticate"] == "Negotiate"


def test_status_code_words_headers_and_body_are_free(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """As text, as JSON, or as Graph's error object."""
    graph.fault("status", status=400, code="serviceNotAvailable", message="Later.", headers={"x-ms-ags": "1"})
    graph.fault("status", status=418, body="text", contentType="text/x")
    graph.fault("status", status=400, body={"odata.error": {"message": {"value": "no"}}})
    own, text, odata = (caller.write() for _ in range(3))
    assert (own.status_code, own.json()["error"]["code"], own.json()["error"]["message"]) == (
        400,
        "serviceNotAvailable",
        "Later.",
    )
    assert own.headers["x-ms-ags"] == "1"
    assert own.headers["request-id"] == own.json()["error"]["innerError"]["request-id"]
    assert (text.status_code, text.text, text.headers["Content-Type"]) == (418, "text", "text/x")
    assert odata.json() == {"odata.error": {"message": {"value": "no"}}}


@pytest.mark.parametrize("given", [0, "0", "2.128", 30])
def test_retry_after_is_sent_as_given(graph: EmulatedGraph, caller: GraphCaller, given: float | str) -> None:
    """Zero and decimals too."""
    graph.fault("throttle", retryAfter=given)
    response = caller.write()
    assert (response.status_code, response.headers["Retry-After"]) == (429, str(given))


def test_retry_after_can_be_a_date(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """RFC 9110, section 10.2.3."""
    before = int(time.time())
    graph.fault("status", status=503, retryAfterDate=60)
    named = email.utils.parsedate_to_datetime(caller.write().headers["Retry-After"])
    assert before + 60 <= named.timestamp() <= time.time() + 60


RAW = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{",
    b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n",
    b"HTTP/9.9 hello\r\n\r\n",
    b"\x00\xff\x16\x03\x01",
    b"",
]


@pytest.mark.parametrize("content", RAW)
def test_raw_bytes_are_the_whole_answer(graph: EmulatedGraph, caller: GraphCaller, content: bytes) -> None:
    """Nothing before, nothing after."""
    graph.fault("raw", base64=base64.b64encode(content).decode())
    assert caller.bytes_of_write() == content
    (write,) = graph.writes()
    assert (write["status"], write["applied"], write["fault"]) == (None, None, "raw")


def test_raw_text_can_keep_the_connection_open(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """The client waits for the rest until its own limit."""
    graph.fault("raw", text="HTTP/1.1 429 No\r\nContent-Length: 9\r\n\r\n{", keepOpen=True)
    with pytest.raises(requests.ConnectionError, match="timed out"):
        caller.write(timeout=0.3)


@pytest.mark.parametrize("status", [200, 400, 403, 429])
def test_a_cut_body_keeps_its_status_and_headers(graph: EmulatedGraph, caller: GraphCaller, status: int) -> None:
    """Half of the body comes, then the connection ends."""
    graph.fault("cut", status=status, retryAfter="7")
    head, _, body = caller.bytes_of_write().partition(b"\r\n\r\n")
    length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Retry-After: 7" in head
    assert 0 < len(body) < int(length.partition(b":")[2])
    assert graph.writes()[0]["status"] == status


def test_a_body_that_claims_to_be_compressed_is_not(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """Status and headers are whole."""
    graph.fault("notGzip", status=429, retryAfter="7")
    with pytest.raises(requests.exceptions.ContentDecodingError):
        caller.write()
    graph.fault("notGzip", status=429, retryAfter="7")
    head, _, body = caller.bytes_of_write().partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    assert body.startswith(b"{")


def test_a_slow_answer_is_a_usual_one(graph: EmulatedGraph, caller: GraphCaller) -> None:
    """It comes after the client gave up, if that is impatient."""
    graph.fault("slow", count=2, delaySeconds=0.5)
    with pytest.raises(requests.Timeout):
        caller.write(timeout=0.1)
    assert caller.write(2).status_code == 200
    assert len([call for call in graph.writes() if call["applied"]]) == 2
