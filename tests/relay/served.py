"""The wired app among its twins behind a real socket, and a way to make it fail; the command line as a process."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import azure.functions as func

from relay.__main__ import main
from tests.web.caller import answered
from tests.world import World

ROOT = Path(__file__).parent.parent.parent
#: An answer: status, headers, body; or None, which breaks the connection off.
type Answer = tuple[int, dict[str, str], bytes] | None


@dataclass
class Served:
    """A relay at ``url``. ``before`` and ``after`` are failures for the next requests, each used once."""

    world: World
    url: str = ""
    before: list[Answer] = field(default_factory=list)
    after: list[Answer] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    deliver: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Any:
        """As the host would; what is accepted is delivered before the next list."""
        self.requests.append((method, target, headers))
        if self.before:
            return self.before.pop(0)
        url = urlsplit(target)
        handler, params = _handler(self.world, method, url.path)
        if handler is None:
            return 404, {}, b""
        if method == "GET" and self.deliver:
            self.world.run(100_000)
        request = func.HttpRequest(
            method,
            f"{self.url}{target}",
            headers=headers,
            body=body,
            params=dict(parse_qsl(url.query)),
            route_params=params,
        )
        response = answered(handler(request))
        if self.after:
            return self.after.pop(0)
        return response.status_code, dict(response.headers) | {"Content-Type": response.mimetype}, response.get_body()


def _handler(world: World, method: str, path: str) -> tuple[Any, dict[str, str]]:
    relay = world.relay
    routes = [
        ("POST", r"/api/updates/batch", relay.batch.post_batch),
        ("POST", r"/api/updates/replay", relay.updates.replay_updates),
        ("POST", r"/api/updates/(?P<id>[^/]+)/cancel", relay.updates.cancel_update),
        ("POST", r"/api/updates/(?P<id>[^/]+)/replay", relay.updates.replay_update),
        ("GET", r"/api/updates/(?P<id>[^/]+)", relay.updates.get_update),
        ("GET", r"/api/updates", relay.updates.list_updates),
        ("GET", r"/api/stats", relay.stats.get_stats),
    ]
    for wanted, pattern, handler in routes:
        match = re.fullmatch(pattern, path)
        if match and method == wanted:
            return handler, match.groupdict()
    return None, {}


@contextmanager
def listening(answer: Callable[[str, str, dict[str, str], bytes], Any]) -> Iterator[str]:
    """A server on a free port; its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told = answer(self.command, self.path, dict(self.headers), body)
            if told is None:
                self.close_connection = True
                self.connection.close()
                return
            status, headers, content = told
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _any  # noqa: N815 - the library's names

        def log_message(self, *_: Any) -> None:
            return

        def finish(self) -> None:
            try:
                super().finish()
            except (OSError, ValueError):
                return

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            return

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def served(world: World) -> Iterator[Served]:
    """The world behind a socket."""
    relay = Served(world)

    def answer(*request: Any) -> Any:
        with relay.lock:
            return relay.answer(*request)

    with listening(answer) as url:
        relay.url = url
        yield relay


@dataclass(frozen=True)
class Ended:
    """What a command left."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its one document."""
        return json.loads(self.out)


#: Whatever started the tests may ignore Ctrl-C, and a child would inherit that.
_AS_FROM_A_SHELL = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("relay", run_name="__main__", alter_sys=True)
"""


def environment(url: str | None = None, **more: str) -> dict[str, str]:
    """Of a command in a process of its own."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("RELAY_")}
    return kept | {"PYTHONPATH": str(ROOT)} | ({"RELAY_URL": url} if url else {}) | more


def run(url: str | None, *arguments: str, stdin: bytes = b"") -> Ended:
    """``python -m relay`` with these arguments, in this process."""
    out, err, kept = StringIO(), StringIO(), sys.stdin
    sys.stdin = TextIOWrapper(BytesIO(stdin))
    try:
        with redirect_stdout(out), redirect_stderr(err):
            status = main([*arguments, *(("--url", url) if url else ())])
    finally:
        sys.stdin = kept
    return Ended(status, out.getvalue(), err.getvalue())


def launched(*arguments: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """``python -m relay`` in a process of its own."""
    command = [sys.executable, "-c", _AS_FROM_A_SHELL, *arguments]
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=env or environment(),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def ended(process: subprocess.Popen[str]) -> Ended:
    """What it left, once it has ended by itself."""
    out, err = process.communicate(timeout=120)
    return Ended(process.returncode, out, err)
