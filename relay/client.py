"""The relay's HTTP API: JSON in, JSON out, every failure a ``Failure`` that a person can act on.

Redirects are not followed and links are only asked at the relay's own address, since the key goes with every request.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from relay.connection import Connection
from relay.failure import Failure
from relay.patience import Patience

#: Connect; between two reads. The Functions front end answers within 230 s.
_TIMEOUT = (10, 240)
#: What may pass; the app's own 500 is one of them, since its host may be starting.
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_LONGEST_RETRY_AFTER = 3600.0


@dataclass
class Refused(Failure):
    """The relay said no: its status and its problem details."""

    status: int = 0
    errors: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class Answer:
    """A JSON object of the relay's."""

    status: int
    body: dict[str, Any]


class Relay:
    """One relay; what is asked again after a fault must be safe to repeat."""

    def __init__(self, connection: Connection, patience: Patience) -> None:
        self.url = connection.url
        self._patience = patience
        self._session = requests.Session()
        self._session.headers["User-Agent"] = "compliance-status-relay-cli"
        if connection.key:
            self._session.headers["x-functions-key"] = connection.key

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, wait: int = 0) -> Answer:
        """GET; ``wait`` is RFC 7240's preference, in seconds. Raises ``Failure``."""
        headers = {"Prefer": f"wait={wait}"} if wait else {}
        return self._call("GET", path, again=True, params=params, headers=headers)

    def post(self, path: str, body: bytes | Mapping[str, Any] | None = None, *, again: bool) -> Answer:
        """POST; ``again`` says that one which may have arrived is sent once more. Raises ``Failure``."""
        if isinstance(body, bytes):
            return self._call("POST", path, again=again, data=body, headers={"Content-Type": "application/json"})
        return self._call("POST", path, again=again, json=body)

    def pages(self, path: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The pages of a list, one after the other."""
        query: Mapping[str, Any] | None = params
        while query is not None:
            page = self.get(path, query).body
            yield page
            query = _onward(params, page.get("nextLink"))

    def _call(self, method: str, path: str, *, again: bool, **request: Any) -> Answer:
        while True:
            try:
                response = self._session.request(
                    method, self.url + path, timeout=_TIMEOUT, allow_redirects=False, **request
                )
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
                failure = Failure(f"{self.url} {_why(error)}", "is the relay running there? (--url, RELAY_URL)")
                if not again:
                    raise failure from None
                self._patience.pause(failure)
                continue
            except requests.RequestException:
                raise Failure(f"{self.url} cannot be asked: not an HTTP service?") from None
            if response.status_code in _PASSING:
                self._patience.pause(_refusal(response), _retry_after(response))
                continue
            self._patience.reset()
            return _answer(response)


def _onward(params: Mapping[str, Any], link: object) -> dict[str, Any] | None:
    if not isinstance(link, str):
        return None
    (continuation,) = parse_qs(urlsplit(link).query).get("continuation", [""])[:1]
    return {**params, "continuation": continuation} if continuation else None


def _why(error: requests.RequestException) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "has no certificate that is trusted here"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "does not answer"
    if isinstance(error, requests.Timeout):
        return "did not answer in time"
    cause = str(error)
    if "NameResolution" in cause or "resolve" in cause:
        return "is a name that cannot be resolved"
    if "refused" in cause:
        return "refuses connections"
    return "broke the connection off"


def _answer(response: requests.Response) -> Answer:
    if not 200 <= response.status_code < 300:  # noqa: PLR2004 - success
        raise _refusal(response)
    body = _body(response)
    if body is None:
        raise Failure("the answer is not the relay's", f"does {response.url.partition('?')[0]} lead to a relay?")
    return Answer(response.status_code, body)


def _refusal(response: requests.Response) -> Refused:
    problem, status = _body(response) or {}, response.status_code
    detail = problem.get("detail") or problem.get("title") or f"HTTP {status}"
    errors = problem.get("errors")
    told = tuple(one for one in errors if isinstance(one, dict)) if isinstance(errors, list) else ()
    said = "; ".join(f"{one.get('pointer')} {one.get('detail')}" for one in told[:5])
    message = f"the relay answered {status}: {detail}" + (f" ({said})" if said else "")
    return Refused(message, _HINTS.get(status), status=status, errors=told)


def _body(response: requests.Response) -> dict[str, Any] | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _retry_after(response: requests.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    try:
        return min(max(0.0, float(text)), _LONGEST_RETRY_AFTER)
    except ValueError:
        pass
    try:
        sent = parsedate_to_datetime(response.headers.get("Date", ""))
        return min(max(0.0, (parsedate_to_datetime(text) - sent).total_seconds()), _LONGEST_RETRY_AFTER)
    except (ValueError, TypeError):
        return None


_HINTS = {
    401: "give a function key of this relay with --key or RELAY_KEY",
    403: "give a function key of this relay with --key or RELAY_KEY",
    301: "the address is another one: change --url or RELAY_URL",
    302: "the address is another one: change --url or RELAY_URL",
    307: "the address is another one: change --url or RELAY_URL",
    308: "the address is another one: change --url or RELAY_URL",
}
