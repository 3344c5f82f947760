"""Microsoft Graph over one ``requests`` session; whatever happens, the answer is a value."""

import json
import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from urllib3.exceptions import HTTPError

from shared.adapters.connecting import Resolve
from shared.adapters.http_session import new_session
from shared.adapters.network_fault import is_timeout, issuer_of, network_fault
from shared.adapters.total_limit import LimitedAdapter, TotalLimit, total_limit
from shared.core.delivery.graph_reply import RESULT_BYTES, GraphReply, TransportFault, parse_reply
from shared.core.delivery.reply_kind import NetworkFault, ReplyKind
from shared.core.intake.update_schema import ODATA_TYPE
from shared.service.ports.graph import GraphCall

log = logging.getLogger(__name__)

#: Graph bodies are read this far.
BODY_BYTES = 256 * 1024
_CHUNK = 16 * 1024
_HTTP_1_1 = 11
_HTTPS_PORT = 443
#: Readiness asks often and must answer soon.
_READ_SECONDS = 5.0
#: A page of a list is larger than an error, and kept only as what is selected of it.
PAGE_BYTES = 4 * 1024 * 1024
_PAGE_SECONDS = 15.0


class _Bearer(requests.auth.AuthBase):
    """Set as ``auth``, so that no ``.netrc`` can put its own credentials in the token's place."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class GraphClient:
    """``Graph`` of the ports; safe for as many threads as ``pool_size``."""

    def __init__(
        self,
        *,
        root: str,
        api_version: str,
        timeout_seconds: float,
        pool_size: int,
        user_agent: str,
        clock: Callable[[], datetime],
        new_guid: Callable[[], str],
        resolve: Resolve = socket.getaddrinfo,
    ) -> None:
        self._root, self._version = f"{root}/{api_version}", api_version
        self._limit_seconds = timeout_seconds
        self._clock, self._new_guid = clock, new_guid
        self._session = new_session(root, LimitedAdapter(pool_size, resolve=resolve))
        self._session.headers.clear()
        self._session.headers.update(
            {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": user_agent}
        )

    def patch_user_status(
        self, policy_id: str, user_status_id: str, properties: Mapping[str, str | int], *, token: str
    ) -> GraphCall:
        """Update one deviceComplianceUserStatus with just these properties."""
        path = ("deviceManagement", "deviceCompliancePolicies", policy_id, "userStatuses", user_status_id)
        body = json.dumps({"@odata.type": ODATA_TYPE, **properties}, ensure_ascii=False).encode()
        return self._call("PATCH", path, token=token, data=body, headers={"Content-Type": "application/json"})

    def read_policies(self, *, token: str) -> GraphCall:
        """Read the first policy's id, within a few seconds; a certificate that is not trusted shows its issuer."""
        path, query = ("deviceManagement", "deviceCompliancePolicies"), {"$top": "1", "$select": "id"}
        answer = self._call("GET", path, token=token, limit_seconds=_READ_SECONDS, params=query)
        if answer.reply.network is not NetworkFault.CERTIFICATE:
            return answer
        root = urlsplit(self._root)
        issuer = issuer_of(root.hostname or "", root.port or _HTTPS_PORT, _READ_SECONDS) or "nobody that could be read"
        return replace(answer, reply=replace(answer.reply, message=f"{answer.reply.message}; issued by {issuer}"))

    def list_user_statuses(
        self, policy_id: str, link: str | None = None, *, select: bool = True, token: str
    ) -> GraphCall:
        """A page of a policy's user statuses; a link to another host is followed under this root.

        ``select`` asks for ids and names alone.
        """
        if link is None:
            path = ("deviceManagement", "deviceCompliancePolicies", policy_id, "userStatuses")
            query = {"$select": "id,userPrincipalName"} if select else None
            return self._call("GET", path, token=token, params=query, **_A_PAGE)
        url = self._under_root(link)
        if url is None:
            log.warning("a list leads elsewhere", extra={"policy_id": policy_id})
            reply = GraphReply(
                HTTPStatus.OK.value,
                message="the link to the next page leads nowhere",
                judged=ReplyKind.UNREADABLE_SUCCESS,
            )
            return GraphCall(reply, self._clock(), 0)
        return self._call("GET", url, token=token, **_A_PAGE)

    def _under_root(self, link: str) -> str | None:
        """Return the link's path and query under our own root: behind a gateway it names Graph's host.

        The token never goes to another host. None where the path is not of this API version.
        """
        try:
            parts = urlsplit(link)
        except ValueError:
            return None
        own, version = urlsplit(self._root).path + "/", f"/{self._version}/"
        prefix = next((start for start in (own, version) if parts.path.startswith(start)), None)
        if prefix is None:
            return None
        query = f"?{parts.query}" if parts.query else ""
        return f"{self._root}/{parts.path.removeprefix(prefix)}{query}"

    def read_user_status(self, policy_id: str, user_status_id: str, *, token: str) -> GraphCall:
        """One deviceComplianceUserStatus by its key."""
        path = ("deviceManagement", "deviceCompliancePolicies", policy_id, "userStatuses", user_status_id)
        return self._call("GET", path, token=token)

    def get(self, path: tuple[str, ...], query: Mapping[str, str] | None = None, *, token: str) -> GraphCall:
        """Read a resource by its path segments."""
        return self._call("GET", path, token=token, params=query)

    def _call(
        self,
        method: str,
        path: tuple[str, ...] | str,
        *,
        token: str,
        limit_seconds: float | None = None,
        largest: int = BODY_BYTES,
        **request: Any,
    ) -> GraphCall:
        url = path if isinstance(path, str) else "/".join((self._root, *(quote(segment, safe="") for segment in path)))
        client_request_id = self._new_guid()
        headers = request.pop("headers", {}) | {"client-request-id": client_request_id}
        started = self._clock()
        with total_limit(min(self._limit_seconds, limit_seconds or self._limit_seconds)) as limit:
            reply = self._reply(
                limit,
                client_request_id,
                largest,
                method=method,
                url=url,
                headers=headers,
                auth=_Bearer(token),
                **request,
            )
        ended = self._clock()
        duration = max(0, round((ended - started).total_seconds() * 1000))
        return GraphCall(reply, started, duration)

    def _reply(self, limit: TotalLimit, client_request_id: str, largest: int, **request: Any) -> GraphReply:
        timeouts = (limit.left(), limit.left())
        try:
            response = self._session.request(**request, timeout=timeouts, allow_redirects=False, stream=True)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return _fault(error, limit, client_request_id)
        if limit.passed:  # in the head, which then looks whole
            response.close()
            return GraphReply(None, TransportFault.TIMEOUT, client_request_id=client_request_id)
        with response:
            body, complete = _read(response, largest)
        return parse_reply(
            response.status_code,
            response.headers,
            body,
            now=self._clock(),
            client_request_id=client_request_id,
            complete=complete,
            result_bytes=RESULT_BYTES if largest == BODY_BYTES else largest,
        )


_A_PAGE: Any = {"limit_seconds": _PAGE_SECONDS, "largest": PAGE_BYTES}


def _read(response: requests.Response, largest: int) -> tuple[bytes, bool]:
    """Return the body as far as it came, up to the bound, and whether that was all."""
    body = bytearray()
    try:
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > largest:
                return bytes(body[:largest]), False
    except (requests.RequestException, HTTPError, OSError) as error:
        log.info("graph body broke", extra={"fault": type(error).__name__, "status_code": response.status_code})
        return bytes(body), False
    return bytes(body), bool(body) or _is_framed(response)


def _is_framed(response: requests.Response) -> bool:
    """Whether an empty body is what was meant: http.client takes a head that was cut off for a whole one."""
    if response.status_code == HTTPStatus.NO_CONTENT or response.raw.version < _HTTP_1_1:
        return bool(response.headers)
    return "Content-Length" in response.headers or "Transfer-Encoding" in response.headers


def _fault(error: Exception, limit: TotalLimit, client_request_id: str) -> GraphReply:
    """Return what an error means: before the request has gone out it is never a call that may still land."""
    log.info("graph call broke", extra={"fault": type(error).__name__, "client_request_id": client_request_id})
    if not limit.sent:
        why, words = network_fault(error)
        return GraphReply(
            None, TransportFault.UNREACHABLE, network=why, message=words, client_request_id=client_request_id
        )
    late = limit.passed or is_timeout(error)
    transport = TransportFault.TIMEOUT if late else TransportFault.DISCONNECTED
    return GraphReply(None, transport, client_request_id=client_request_id)
