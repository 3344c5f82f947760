"""A local end of Application Insights' ingestion: takes what the exporter posts, and keeps it."""

import gzip
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Collector:
    """What came in, envelope by envelope."""

    def __init__(self, port: int) -> None:
        self.envelopes: list[dict[str, Any]] = []
        self.environment = {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": f"InstrumentationKey={uuid.uuid4()};IngestionEndpoint=http://127.0.0.1:{port}/",
            # The SDK's talk with Microsoft about itself.
            "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
            "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
        }

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The data of one kind: ``RequestData``, ``RemoteDependencyData``, ``MessageData``, ``MetricData``."""
        return [
            envelope["data"]["baseData"] | {"tags": envelope["tags"]}
            for envelope in self.envelopes
            if envelope["data"]["baseType"] == kind
        ]

    def metrics(self) -> set[str]:
        """The names of the metrics."""
        return {metric["name"] for data in self.of("MetricData") for metric in data["metrics"]}


@contextmanager
def collector() -> Iterator[Collector]:
    """While it is needed."""

    class Ingestion(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            text = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            found = json.loads(text) if text.startswith(b"[") else [json.loads(line) for line in text.splitlines()]
            taken.envelopes += found
            answer = json.dumps({"itemsReceived": len(found), "itemsAccepted": len(found), "errors": []}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ingestion)
    taken = Collector(server.server_port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
