"""The wired app among its fakes behind a real socket, with failures on request; and any handler behind a socket."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import azure.functions as func

from tests.web.caller import answered
from tests.world import World

#: A status, headers and a body; None breaks the connection off.
type Response = tuple[int, dict[str, str], bytes] | None
#: Method, target, headers and body.
type Handler = Callable[[str, str, dict[str, str], bytes], Response]


@dataclass
class RelayServer:
    """A relay at ``url``; ``before`` and ``after`` are failures of the next requests, each used once."""

    world: World
    url: str = ""
    before: list[Response] = field(default_factory=list)
    after: list[Response] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    deliver: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Response:
        """Answer as the host does; deliver what was accepted before a GET."""
        self.requests.append((method, target, headers))
        if self.before:
            return self.before.pop(0)
        url = urlsplit(target)
        handler, route = _handler(self.world, method, url.path)
        if handler is None:
            return 404, {}, b""
        if method == "GET" and self.deliver:
            self.world.run(100_000)
        query = dict(parse_qsl(url.query))
        request = func.HttpRequest(
            method, f"{self.url}{target}", headers=headers, body=body, params=query, route_params=route
        )
        response = answered(handler(request))
        if self.after:
            return self.after.pop(0)
        return response.status_code, dict(response.headers) | {"Content-Type": response.mimetype}, response.get_body()

    def count_posts(self) -> int:
        """Return how many POST requests came."""
        return sum(method == "POST" for method, _, _ in self.requests)


def _handler(world: World, method: str, path: str) -> tuple[Any, dict[str, str]]:
    relay = world.relay
    routes = [
        ("POST", r"/api/updates/batch", relay.batch.post_batch),
        ("POST", r"/api/updates/replay", relay.updates.replay_updates),
        ("POST", r"/api/updates/(?P<id>[^/]+)/cancel", relay.updates.cancel_update),
        ("POST", r"/api/updates/(?P<id>[^/]+)/replay", relay.updates.replay_update),
        ("GET", r"/api/updates/(?P<id>[^/]+)", relay.updates.get_update),
        ("GET", r"/api/updates", relay.updates.list_updates),
        ("GET", r"/api/audit", relay.audit_records.list_audit),
        ("POST", r"/api/pauses", relay.pauses.post_pause),
        ("GET", r"/api/pauses", relay.pauses.list_pauses),
        ("GET", r"/api/pauses/(?P<id>[^/]+)", relay.pauses.get_pause),
        ("DELETE", r"/api/pauses/(?P<id>[^/]+)", relay.pauses.end_pause),
        ("POST", r"/api/pauses/(?P<id>[^/]+)/cancelUpdates", relay.pauses.cancel_paused_updates),
        ("GET", r"/api/stats", relay.stats.get_stats),
        ("POST", r"/api/webhooks/(?P<source>[^/]+)", relay.webhooks.post_webhook),
    ]
    for of_route, pattern, handler in routes:
        match = re.fullmatch(pattern, path)
        if match and method == of_route:
            return handler, match.groupdict()
    return None, {}


class _RequestHandler(BaseHTTPRequestHandler):
    """Passes requests to ``answer``; a client that goes away is no error."""

    protocol_version = "HTTP/1.1"
    answer: Handler

    def _respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        response = type(self).answer(self.command, self.path, dict(self.headers), body)
        if response is None:
            self.close_connection = True
            self.connection.close()
            return
        status, headers, content = response
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = _respond  # noqa: N815 - the library's names

    def log_message(self, *_: Any) -> None:
        return

    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):
            return


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        return


@contextmanager
def listening(answer: Handler) -> Iterator[str]:
    """Run a server on a free port; yield its address."""
    handler = type("_Bound", (_RequestHandler,), {"answer": staticmethod(answer)})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def relay_server(world: World) -> Iterator[RelayServer]:
    """Run the world's relay behind a socket, one request at a time."""
    relay = RelayServer(world)

    def answer(*request: Any) -> Response:
        with relay.lock:
            return relay.answer(*request)

    with listening(answer) as url:
        relay.url = url
        yield relay
