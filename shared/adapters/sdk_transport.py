"""What the Azure SDKs send their requests with: sessions of ours, and no long sleep in place.

azure-core obeys any ``Retry-After`` by sleeping in the calling thread (docs/graph-facts.md#f92). Here a wait of more
than two seconds ends the call: its caller tries again later.
"""

from typing import Any

import requests
from azure.core.pipeline.transport import RequestsTransport

from shared.core.delivery.error_body import ErrorBody, parse_json, redact

MAX_SLEEP_SECONDS = 2.0


class WaitTooLong(ValueError):
    """A service asks to wait for so many seconds; ``ValueError``, since the SDKs repeat their own errors."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"asks to wait for {seconds:g} seconds")
        self.seconds = seconds


class PromptTransport(RequestsTransport):  # type: ignore[misc]  # azure.core.pipeline.transport loads it lazily, untyped
    """A transport that sleeps for two seconds at most; ``answer`` is the last one that came, or None."""

    def __init__(self, session: requests.Session) -> None:
        super().__init__(session=session, session_owner=False, connection_verify=session.verify)
        self.answer: Answer | None = None

    def sleep(self, duration: float) -> None:
        """Wait before a request is repeated. Raise ``WaitTooLong``."""
        if duration > MAX_SLEEP_SECONDS:
            raise WaitTooLong(duration)
        super().sleep(duration)


class Answer:
    """What a service answered: the status, and the words of its body without secrets."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status, self.document = status, parse_json(body)
        self._error = ErrorBody(self.document, body)

    def __str__(self) -> str:
        words = " ".join(part for part in (redact(self._error.code or ""), self._error.message) if part)
        return f"{self.status} {words}".rstrip()


class RecordingTransport(PromptTransport):
    """A transport for one call at a time, which keeps the last answer: the SDK's errors hide it."""

    def send(self, request: Any, **options: Any) -> Any:
        """Send a request, and keep what was answered."""
        self.answer = None
        response = super().send(request, **options)
        self.answer = Answer(response.status_code, response.content)
        return response
