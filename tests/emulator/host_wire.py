r"""Requests byte for byte as a recorded case has them, and answers as they come off the socket.

Text is latin-1: ``\u00ff`` is one byte. In it ``{host}`` is host and port, ``{function-key}`` and ``{master-key}`` are
keys, ``{a*9}`` is ``aaaaaaaaa``. A request has ``method`` (GET), ``path`` or ``do`` (what the app is to respond),
``headers`` (an object, or pairs), ``body`` or ``bodyBase64``, ``chunked``, ``version``, ``host`` and ``length``
(false: no such header), ``awaitContinue``, ``watchClose``, ``watchFraming``, ``seconds``; or ``raw`` alone.
"""

import base64
import contextlib
import json
import re
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

#: Headers that are the server's own, or framing.
_UNWATCHED = {"date", "server", "content-length", "transfer-encoding", "connection", "keep-alive"}
SECONDS = 20.0

type Case = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A host that is asked."""

    port: int
    keys: dict[str, str]

    def filled(self, text: str) -> str:
        """Text with its placeholders filled in."""
        for name, value in (self.keys | {"host": f"127.0.0.1:{self.port}"}).items():
            text = text.replace(f"{{{name}}}", value)
        return re.sub(r"\{(.)\*(\d+)\}", lambda found: found[1] * int(found[2]), text)

    def ask(self, case: Case) -> list[Case]:
        """The answers to a case's requests, which share a connection."""
        with socket.create_connection(("127.0.0.1", self.port), SECONDS) as connection:
            wire = Wire(connection)
            if case.get("pipelined"):
                connection.sendall(b"".join(b"".join(head_and_body(self, text)) for text in case["requests"]))
            answers = []
            for request in case["requests"]:
                try:
                    answers.append(self._answer(wire, request, send=not case.get("pipelined")))
                except (OSError, EOFError, ValueError) as error:
                    return [*answers, {"error": type(error).__name__}]
            return answers

    def _answer(self, wire: "Wire", request: Case, *, send: bool) -> Case:
        watched: Case = {}
        if send:
            head, body = head_and_body(self, request)
            wire.connection.sendall(head)
            if request.get("awaitContinue"):
                watched["continue"] = wire.goes_on(0.5)
            if body and watched.get("continue", True):
                with contextlib.suppress(OSError):  # refused before all of it was read
                    wire.connection.sendall(body)
        wire.connection.settimeout(request.get("seconds", SECONDS))
        answer = wire.answer(head_only=request.get("method") == "HEAD")
        framing = answer.pop("framing")
        if request.get("watchFraming"):
            watched["framing"] = framing
        if request.get("watchClose"):
            watched["closes"] = wire.closes()
        return answer | watched


def target(request: Case) -> str:
    """The request's path and query."""
    if "do" in request:
        return f"/api/respond?do={quote(json.dumps(request['do']), safe='')}"
    return str(request.get("path", "/"))


def sent_body(asked: Asked, request: Case) -> bytes:
    """The body that a request has, before any framing."""
    if "raw" in request:
        return asked.filled(request["raw"]).partition("\r\n\r\n")[2].encode("latin-1")
    if "bodyBase64" in request:
        return base64.b64decode(request["bodyBase64"])
    return asked.filled(request.get("body", "")).encode()


def head_and_body(asked: Asked, request: Case) -> tuple[bytes, bytes]:
    """What goes over the wire."""
    if "raw" in request:
        return asked.filled(request["raw"]).encode("latin-1"), b""
    given = request.get("headers", {})
    pairs = list(given.items() if isinstance(given, dict) else given)
    names = {name.strip().lower() for name, _ in pairs}
    body = sent_body(asked, request)
    if request.get("host") is not False and "host" not in names:
        pairs.insert(0, ("Host", "{host}"))
    if request.get("chunked"):
        pairs.append(("Transfer-Encoding", "chunked"))
        pieces = [body[at : at + 1000] for at in range(0, len(body), 1000)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    elif request.get("length") is not False and not names & {"content-length", "transfer-encoding"}:
        pairs += [("Content-Length", str(len(body)))] if {"body", "bodyBase64"} & request.keys() else []
    first = f"{request.get('method', 'GET')} {target(request)} HTTP/{request.get('version', '1.1')}"
    lines = [first, *(f"{name}: {value}" for name, value in pairs), "", ""]
    return asked.filled("\r\n".join(lines)).encode("latin-1"), body


class Wire:
    """Reads answers off a socket."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection, self._held = connection, b""

    def _more(self) -> None:
        piece = self.connection.recv(1 << 20)
        if not piece:
            raise EOFError
        self._held += piece

    def _line(self) -> bytes:
        while b"\r\n" not in self._held:
            self._more()
        line, self._held = self._held.split(b"\r\n", 1)
        return line

    def _bytes(self, count: int) -> bytes:
        while len(self._held) < count:
            self._more()
        whole, self._held = self._held[:count], self._held[count:]
        return whole

    def goes_on(self, seconds: float) -> bool | None:
        """Whether ``100 Continue`` comes; None: another answer came at once."""
        self.connection.settimeout(seconds)
        try:
            while b"\r\n\r\n" not in self._held:
                self._more()
        except TimeoutError:
            return False
        if not self._held.startswith(b"HTTP/1.1 100"):
            return None
        self._held = self._held.split(b"\r\n\r\n", 1)[1]
        return True

    def answer(self, *, head_only: bool) -> Case:
        """One answer. Raises ``ValueError`` for what is none, ``EOFError`` for a cut one."""
        version, status, *_ = self._line().decode("latin-1").split(" ", 2)
        if not version.startswith("HTTP/"):
            raise ValueError(version)
        headers: list[tuple[str, str]] = []
        while line := self._line():
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name.strip().lower(), value.strip()))
        framing, body = self._body(int(status), dict(headers), head_only=head_only)
        shown: Case = {}
        for name, value in headers:
            if name in shown:
                shown[name] = [*(shown[name] if isinstance(shown[name], list) else [shown[name]]), value]
            elif name not in _UNWATCHED:
                shown[name] = value
        return {"status": int(status), "headers": shown, "framing": framing} | _readable(body, dict(headers))

    def _body(self, status: int, headers: dict[str, str], *, head_only: bool) -> tuple[str, bytes]:
        length = headers.get("content-length")
        chunked = "chunked" in headers.get("transfer-encoding", "")
        if head_only or status in {204, 304} or 100 <= status < 200:
            return ("none, says chunked" if chunked else f"none, says length {length}" if length else "none"), b""
        if chunked:
            return "chunked", self._chunks()
        if length is not None:
            return "length", self._bytes(int(length))
        return "close", self._rest()

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self._line().split(b";")[0], 16):
            parts.append(self._bytes(size))
            self._line()
        while self._line():
            pass
        return b"".join(parts)

    def _rest(self) -> bytes:
        with contextlib.suppress(EOFError):
            while True:
                self._more()
        body, self._held = self._held, b""
        return body

    def closes(self) -> bool:
        """Whether the host closes the connection by itself within half a second."""
        self.connection.settimeout(0.5)
        try:
            return not self._held and not self.connection.recv(1)
        except TimeoutError:
            return False
        except OSError:
            return True


def _readable(body: bytes, headers: dict[str, str]) -> Case:
    if not headers.get("content-encoding"):
        with contextlib.suppress(ValueError):
            return {"body": json.loads(body) if "json" in headers.get("content-type", "") else body.decode()}
        with contextlib.suppress(ValueError):
            return {"body": body.decode()}
    return {"bodyBase64": base64.b64encode(body).decode()}
