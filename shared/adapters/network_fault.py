"""Why a request was never sent, from the errors that ``requests``, urllib3 and ``ssl`` wrap around one another."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress

import requests
import urllib3

from shared.core.delivery.reply_kind import NetworkFault

_MAX_CAUSES = 100
#: What comes first decides; each with the words that say so.
_FAULTS: tuple[tuple[NetworkFault, tuple[type[BaseException], ...], str], ...] = (
    (NetworkFault.CERTIFICATE, (ssl.SSLCertVerificationError,), "its certificate is not trusted"),
    (NetworkFault.PROXY, (urllib3.exceptions.ProxyError,), "the proxy did not let the request through"),
    (NetworkFault.NAME, (socket.gaierror, urllib3.exceptions.NameResolutionError), "its name could not be resolved"),
    (NetworkFault.REFUSED, (ConnectionRefusedError,), "the connection was refused"),
    (NetworkFault.PROTOCOL, (ssl.SSLError,), "it does not speak TLS as expected"),
    (NetworkFault.NO_ANSWER, (TimeoutError, urllib3.exceptions.ConnectTimeoutError), "no address answered in time"),
    (NetworkFault.NO_ANSWER, (urllib3.exceptions.ReadTimeoutError,), "the TLS handshake did not end in time"),
    (NetworkFault.NAME, (UnicodeError, requests.exceptions.InvalidURL), "its name is not valid"),
)


def network_fault(error: BaseException) -> tuple[NetworkFault, str]:
    """Return why the request was never sent, and the words for it."""
    causes = list(_causes(error))
    for fault, kinds, words in _FAULTS:
        found = next((cause for cause in causes if isinstance(cause, kinds)), None)
        if found is not None:
            return fault, f"{words}{_detail(found)}"
    return NetworkFault.OTHER, "the connection could not be made"


def is_timeout(error: BaseException) -> bool:
    """Return whether time ran out."""
    return any(isinstance(cause, (TimeoutError, urllib3.exceptions.ReadTimeoutError)) for cause in _causes(error))


def issuer_of(host: str, port: int, seconds: float) -> str | None:
    """Return who issued the certificate that is not trusted; None where it cannot be read. Nothing is sent."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        suppress(OSError, ValueError),
        socket.create_connection((host, port), seconds) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        from cryptography import x509  # noqa: PLC0415 - comes with azure-identity; only a diagnosis needs it

        der = secure.getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(der).issuer.rfc4514_string()[:200] if der else None
    return None


def _detail(cause: BaseException) -> str:
    match cause:
        case ssl.SSLCertVerificationError(verify_message=str(text)):
            return f": {text}"
        case ssl.SSLError(reason=str(text)):
            return f": {text.replace('_', ' ').lower()}"
        case urllib3.exceptions.ProxyError():
            refusal = next((str(inner) for inner in _causes(cause) if "Tunnel connection failed" in str(inner)), "")
            return f": {refusal.partition('Tunnel connection failed: ')[2].strip(chr(39) + ')(')}" if refusal else ""
    return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it was made from."""
    left: list[object] = [error]
    for _ in range(_MAX_CAUSES):
        if not left:
            return
        here = left.pop(0)
        if isinstance(here, BaseException):
            yield here
            wrapped = (getattr(here, name, None) for name in ("reason", "inner_exception"))  # urllib3's, azure-core's
            left += [here.__cause__, here.__context__, *wrapped, *here.args]
