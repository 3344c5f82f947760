"""Calls of the emulated Graph as the relay makes them, and as plain bytes."""

import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import requests

from emulator.graph_rules import ODATA_TYPE
from emulator.tokens import GRAPH_AUDIENCE, WRITE_ROLE, issue
from tests.builders import POLICY

_ROOT = "/beta/deviceManagement/deviceCompliancePolicies"


class GraphCaller:
    """One that may write."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        token = issue(GRAPH_AUDIENCE, [WRITE_ROLE], now=time.time(), lifetime=600)
        self._headers = {"Authorization": f"Bearer {token}", "client-request-id": POLICY, "User-Agent": "test"}

    def write(self, devices: int = 1, user: str = "u0", policy: str = POLICY, timeout: float = 10) -> requests.Response:
        """PATCH a user status."""
        return self.ask("PATCH", f"/{policy}/userStatuses/{user}", json=_body(devices), timeout=timeout)

    def read(self, user: str = "u0") -> requests.Response:
        """GET a user status."""
        return self.ask("GET", f"/{POLICY}/userStatuses/{user}")

    def page(self, url: str = "", **query: str) -> requests.Response:
        """GET a page of the list."""
        if url:
            return requests.get(url, headers=self._headers, timeout=10)
        return self.ask("GET", f"/{POLICY}/userStatuses", params=query)

    def policies(self) -> requests.Response:
        """GET the policies."""
        return self.ask("GET", "")

    def ask(self, method: str, path: str, timeout: float = 10, **options: Any) -> requests.Response:
        """Call Graph; redirects are not followed."""
        url, options = self._base_url + _ROOT + path, {"allow_redirects": False, **options}
        return requests.request(method, url, headers=self._headers, timeout=timeout, **options)

    def bytes_of_write(self) -> bytes:
        """PATCH over a plain socket; return all bytes until the end of the connection."""
        body = json.dumps(_body(1)).encode()
        about = {"Host": "graph", "Connection": "close", "Content-Type": "application/json"}
        headers = self._headers | about | {"Content-Length": str(len(body))}
        lines = [
            f"PATCH {_ROOT}/{POLICY}/userStatuses/u0 HTTP/1.1",
            *(f"{name}: {text}" for name, text in headers.items()),
        ]
        address = urlsplit(self._base_url)
        with socket.create_connection((str(address.hostname), address.port or 80), timeout=10) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            received = b""
            while part := connection.recv(65536):
                received += part
        return received


def _body(devices: int) -> dict[str, Any]:
    return {"@odata.type": ODATA_TYPE, "devicesCount": devices}
