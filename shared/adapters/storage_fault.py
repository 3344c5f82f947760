"""Why Azure Storage did not do what it was asked, by its own code."""

from http import HTTPStatus
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError

from shared.adapters.network_fault import network_fault
from shared.adapters.sdk_transport import WaitTooLong
from shared.adapters.shared_credential import NoToken
from shared.service.ports.storage import Denied, Unavailable

_REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_CODE_HEADER = "x-ms-error-code"
#: The code where no token can be had for storage.
NO_TOKEN = "noToken"


def storage_fault(service: str, error: AzureError | ValueError) -> Unavailable:
    """Return the port's error for one of the SDK's; ``service`` is ``queue`` or ``table``."""
    match error:
        case HttpResponseError(status_code=int(status)):
            code = _code(error)
            kind = Denied if status in _REFUSALS else Unavailable
            return kind(f"{service}: {status} {code or ''}".rstrip(), code=code)
        case NoToken():
            return Unavailable(f"{service}: {error}", code=NO_TOKEN)
        case WaitTooLong():
            return Unavailable(f"{service}: storage {error}")
    fault, words = network_fault(error)
    return Unavailable(f"{service}: {words}", code=fault.value)


def _code(error: Any) -> str | None:
    """Return storage's own code (https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes)."""
    header = error.response.headers.get(_CODE_HEADER) if error.response is not None else None
    code = header or getattr(error, "error_code", None)
    return str(getattr(code, "value", code))[:100] if code else None
