"""The client of the relay's HTTP API: JSON in, JSON out, every failure a ``CommandError`` with a hint.

Redirects are not followed, and links are only requested at the relay's own address: the key is in every request.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from relay.config import Config
from relay.errors import CommandError
from relay.retry import RetryBackoff

#: Seconds to connect, and between two reads. The Functions front end answers within 230 s.
_TIMEOUT = (10, 240)
#: Statuses to retry. 500 is one of them: the host may be starting.
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_MAX_RETRY_AFTER = 3600.0
_MAX_FAULTS_SHOWN = 5
_LOST = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


@dataclass
class ApiError(CommandError):
    """A refusal by the relay, with the faults of its problem details (RFC 9457)."""

    status: int = 0
    errors: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class ApiResponse:
    """A JSON object of the relay."""

    status: int
    body: dict[str, Any]


class RelayClient:
    """A client of one relay."""

    def __init__(self, config: Config, backoff: RetryBackoff) -> None:
        self.url = config.url
        self._backoff = backoff
        self._session = requests.Session()
        self._session.headers["User-Agent"] = "compliance-status-relay-cli"
        if config.key:
            self._session.headers["x-functions-key"] = config.key

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, wait: int = 0) -> ApiResponse:
        """GET; ``wait`` is the preference of RFC 7240, in seconds. Raise ``CommandError``."""
        headers = {"Prefer": f"wait={wait}"} if wait else {}
        return self._request("GET", path, idempotent=True, params=params, headers=headers)

    def post(
        self,
        path: str,
        body: bytes | Mapping[str, Any] | None = None,
        *,
        idempotent: bool,
        headers: Mapping[str, str] | None = None,
    ) -> ApiResponse:
        """POST; an idempotent request whose answer is lost is sent again. Raise ``CommandError``."""
        if isinstance(body, bytes):
            headers = {"Content-Type": "application/json", **(headers or {})}
            return self._request("POST", path, idempotent=idempotent, data=body, headers=headers)
        return self._request("POST", path, idempotent=idempotent, json=body)

    def delete(self, path: str) -> None:
        """DELETE; sent once, since after an answer that was lost it would be a 404. Raise ``CommandError``."""
        self._request("DELETE", path, idempotent=False)

    def pages(self, path: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the pages of a list, one after the other. Raise ``CommandError``."""
        query: Mapping[str, Any] | None = params
        while query is not None:
            page = self.get(path, query).body
            yield page
            query = _next_query(params, page.get("nextLink"))

    def _request(self, method: str, path: str, *, idempotent: bool, **options: Any) -> ApiResponse:
        while True:
            try:
                response = self._session.request(
                    method, self.url + path, timeout=_TIMEOUT, allow_redirects=False, **options
                )
            except _LOST as error:
                lost = CommandError(f"{self.url} {_reason(error)}", "is the relay running there? (--url, RELAY_URL)")
                if not idempotent:
                    raise lost from None
                self._backoff.wait(lost)
                continue
            except requests.RequestException:
                raise CommandError(f"{self.url} is no HTTP service") from None
            if response.status_code in _TRANSIENT:
                self._backoff.wait(_api_error(response), _retry_after(response))
                continue
            self._backoff.reset()
            return _api_response(response)


def _next_query(params: Mapping[str, Any], link: object) -> dict[str, Any] | None:
    if not isinstance(link, str):
        return None
    (continuation,) = parse_qs(urlsplit(link).query).get("continuation", [""])[:1]
    return {**params, "continuation": continuation} if continuation else None


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "has no certificate that is trusted here"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "does not answer"
    if isinstance(error, requests.Timeout):
        return "did not answer in time"
    cause = str(error)
    if "NameResolution" in cause or "resolve" in cause:
        return "is a name that cannot be resolved"
    return "refuses connections" if "refused" in cause else "closed the connection"


def _api_response(response: requests.Response) -> ApiResponse:
    if not 200 <= response.status_code < 300:  # noqa: PLR2004 - success
        raise _api_error(response)
    body = {} if response.status_code == requests.codes.no_content else _json_object(response)
    if body is None:
        raise CommandError("the answer is not the relay's", f"does {response.url.partition('?')[0]} lead to a relay?")
    return ApiResponse(response.status_code, body)


def _api_error(response: requests.Response) -> ApiError:
    problem, status = _json_object(response) or {}, response.status_code
    detail = problem.get("detail") or problem.get("title") or f"HTTP {status}"
    errors = problem.get("errors")
    faults = tuple(fault for fault in errors if isinstance(fault, dict)) if isinstance(errors, list) else ()
    text = "; ".join(f"{fault.get('pointer')} {fault.get('detail')}" for fault in faults[:_MAX_FAULTS_SHOWN])
    message = f"the relay answered {status}: {detail}" + (f" ({text})" if text else "")
    return ApiError(message, _HINTS.get(status), status=status, errors=faults)


def _json_object(response: requests.Response) -> dict[str, Any] | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _retry_after(response: requests.Response) -> float | None:
    """Return the seconds of ``Retry-After``, a number or a date; None without one that can be read."""
    text = response.headers.get("Retry-After", "")
    try:
        return min(max(0.0, float(text)), _MAX_RETRY_AFTER)
    except ValueError:
        pass
    try:
        sent = parsedate_to_datetime(response.headers.get("Date", ""))
        return min(max(0.0, (parsedate_to_datetime(text) - sent).total_seconds()), _MAX_RETRY_AFTER)
    except (ValueError, TypeError):
        return None


_KEY = "give this relay's function key: --key or RELAY_KEY"
_MOVED = "the address is another one: change --url or RELAY_URL"
_HINTS = {401: _KEY, 403: _KEY, 301: _MOVED, 302: _MOVED, 307: _MOVED, 308: _MOVED}
