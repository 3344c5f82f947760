"""The destinations of outcome notices: a signed webhook, a Storage queue, an Event Grid topic.

Each attempt over HTTP ends within ``LIMIT_SECONDS``, follows no redirect and reads no body.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from requests.cookies import RequestsCookieJar
from standardwebhooks import Webhook
from urllib3.exceptions import HTTPError

from shared.adapters.http_session import new_session
from shared.adapters.network_fault import network_fault
from shared.adapters.total_limit import LimitedAdapter, TotalLimit, total_limit
from shared.service.ports.graph import Identity, IdentityUnavailable
from shared.service.ports.notices import Gone, NotTaken, Receipt, Taken
from shared.service.ports.storage import Unavailable, UpdateQueue

log = logging.getLogger(__name__)

#: From resolving the receiver's name to the last byte of its answer's head.
LIMIT_SECONDS: Final = 15.0
_CLOUD_EVENT = "application/cloudevents+json; charset=utf-8"
#: Event Grid's data plane; a namespace topic's endpoint brings its own version.
_EVENT_GRID_QUERY = {"api-version": "2018-01-01"}


class _NoCookies(RequestsCookieJar):
    """A receiver's cookies are forgotten: one that sends many must not grow the requests to it."""

    def set_cookie(self, *_args: Any, **_kwargs: Any) -> None:
        """Forget it."""


class _Bearer(AuthBase):
    """Set as ``auth``, so that nothing else can take the header's place."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class HttpPost:
    """POSTs to one URL, on a session of its own."""

    def __init__(self, url: str, *, user_agent: str, pool_size: int, limit_seconds: float = LIMIT_SECONDS) -> None:
        self._url, self._limit_seconds = url, limit_seconds
        self._session = new_session(url, LimitedAdapter(pool_size))
        self._session.cookies = _NoCookies()
        self._session.headers.clear()
        self._session.headers.update({"Content-Type": _CLOUD_EVENT, "User-Agent": user_agent, "Accept": "*/*"})

    def __call__(self, body: bytes, headers: Mapping[str, str], **more: Any) -> int | NotTaken:
        """Return the answer's status code, or why there is none."""
        with total_limit(self._limit_seconds) as limit:
            try:
                with self._session.post(
                    self._url,
                    data=body,
                    headers=headers,
                    timeout=(limit.left(), limit.left()),
                    allow_redirects=False,
                    stream=True,
                    **more,
                ) as response:
                    return _in_time(limit, response.status_code)
            except (requests.RequestException, HTTPError, OSError, ValueError) as error:
                return _fault(error, limit)


class WebhookReceiver:
    """A URL that takes notices signed by Standard Webhooks; each secret makes a signature (docs/graph-facts.md#f50)."""

    def __init__(self, post: HttpPost, secrets: tuple[str, ...], clock: Callable[[], datetime]) -> None:
        self._post, self._clock = post, clock
        self._webhooks = [Webhook(secret) for secret in secrets]

    def send(self, event: Mapping[str, Any]) -> Receipt:
        """POST the event; its id is the webhook's."""
        text, now, event_id = json.dumps(event), self._clock(), str(event["id"])
        headers = {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(webhook.sign(event_id, now, text) for webhook in self._webhooks),
        }
        return receipt(self._post(text.encode(), headers))


@dataclass(frozen=True)
class QueueReceiver:
    """A Storage queue; its messages are base64."""

    queue: UpdateQueue

    def send(self, event: Mapping[str, Any]) -> Receipt:
        """Put the event as one message."""
        try:
            self.queue.put(json.dumps(event))
        except Unavailable as error:
            return NotTaken(str(error))
        return Taken()


@dataclass(frozen=True)
class EventGridReceiver:
    """An Event Grid topic with the schema CloudEvents 1.0, reached with the app's identity."""

    post: HttpPost
    identity: Identity
    query: Mapping[str, str]

    def send(self, event: Mapping[str, Any]) -> Receipt:
        """POST the event, with a new token where the first one is refused."""
        body = json.dumps(event).encode()
        try:
            token = self.identity.token()
            answer = self._post(body, token)
            if answer == HTTPStatus.UNAUTHORIZED:
                answer = self._post(body, self.identity.fresh_token(token))
        except IdentityUnavailable as error:
            return NotTaken(f"no token: {error}")
        return receipt(answer)

    def _post(self, body: bytes, token: str) -> int | NotTaken:
        return self.post(body, {}, auth=_Bearer(token), params=self.query)


def event_grid_query(endpoint: str) -> Mapping[str, str]:
    """Return the query that an endpoint needs in addition to its own."""
    return {} if "api-version=" in urlsplit(endpoint).query.lower() else _EVENT_GRID_QUERY


def receipt(answer: int | NotTaken) -> Receipt:
    """Return what an answer means: 2xx is done, 410 ends the notices, everything else is tried again."""
    match answer:
        case NotTaken():
            return answer
        case HTTPStatus.GONE:
            return Gone()
        case code if HTTPStatus.OK <= code < HTTPStatus.MULTIPLE_CHOICES:
            return Taken()
    return NotTaken(f"it answered {answer}")


def _in_time(limit: TotalLimit, code: int) -> int | NotTaken:
    """Return the code; an answer whose head was cut at the limit looks whole."""
    return NotTaken("it did not answer in time") if limit.passed else code


def _fault(error: Exception, limit: TotalLimit) -> NotTaken:
    if limit.passed:
        return NotTaken("it did not answer in time")
    return NotTaken("the connection broke" if limit.sent else network_fault(error)[1])
