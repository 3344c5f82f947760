"""Whether a webhook request comes from its source; whatever goes wrong inside a verifier, the answer is no."""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from shared.core.basics.timestamp import parse_milliseconds
from shared.core.intake.sender_time import rfc_3339
from shared.core.intake.webhook_source import Refusal, Verification, VerificationType

#: An unknown source is verified as well, so that the time of the answer does not give it away.
UNKNOWN_SOURCE = Verification(VerificationType.HMAC_SHA256, ("nobody knows this",), header="x-signature")
#: How far the time of a request may be from ours, either way.
_TOLERANCE = timedelta(minutes=5)
_SIGNATURE = re.compile(r"v1,([A-Za-z0-9+/]+=*)")
#: The names that Standard Webhooks had at first, and that Svix still sends.
_OLD_NAMES = {f"webhook-{name}": f"svix-{name}" for name in ("id", "timestamp", "signature")}
#: Signatures of one header that are tried.
_MAX_SIGNATURES = 20


@dataclass(frozen=True)
class SignedRequest:
    """What a signature is about: the headers by their names in lower case, the body, and when it came."""

    headers: Mapping[str, str]
    body: bytes
    received: datetime


def refusal_of(verification: Verification, request: SignedRequest) -> Refusal | None:
    """Return why a request is refused, or None where it is genuine. Never raise."""
    # A list, not any(...) over a generator: the time does not show which of the secrets fits.
    refusals = [_refusal(verification, secret, request) for secret in verification.secrets]
    if None in refusals:
        return None
    return Refusal.TIMESTAMP if Refusal.TIMESTAMP in refusals else Refusal.SIGNATURE


def standard_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the three headers of Standard Webhooks by their names, also where they came by their old ones."""
    names = _OLD_NAMES.items()
    found = {name: headers.get(name, headers.get(old)) for name, old in names}
    return {name: text for name, text in found.items() if text is not None}


type _Verifier = Callable[[Verification, str, SignedRequest], Refusal | None]


def _refusal(verification: Verification, secret: str, request: SignedRequest) -> Refusal | None:
    try:
        return _VERIFIERS[verification.type](verification, secret, request)
    except Exception:  # noqa: BLE001 - the boundary: garbage makes verifiers fail in many ways, all of them mean no
        return Refusal.SIGNATURE


def _standard_webhooks(_: Verification, secret: str, request: SignedRequest) -> Refusal | None:
    """Return the library's answer; each signature alone, so that a broken one does not hide a good one."""
    known, webhook = standard_headers(request.headers), Webhook(secret)
    for signature in _SIGNATURE.findall(known["webhook-signature"])[:_MAX_SIGNATURES]:
        try:
            webhook.verify(request.body, known | {"webhook-signature": f"v1,{signature}"}, json_parse=False)
        except WebhookVerificationError as error:
            if "timestamp" in str(error):
                return Refusal.TIMESTAMP
        except ValueError:
            continue
        else:
            return None
    return Refusal.SIGNATURE


def _hmac_sha256(verification: Verification, secret: str, request: SignedRequest) -> Refusal | None:
    content = verification.content(request.headers, request.body)
    expected = hmac.new(secret.encode(), content, hashlib.sha256).digest()
    given = list(_signatures(verification, request.headers[verification.header.lower()]))
    if not any([hmac.compare_digest(expected, signature) for signature in given]):  # noqa: C419 - see refusal_of
        return Refusal.SIGNATURE
    return None if _is_timely(verification, request) else Refusal.TIMESTAMP


def _signatures(verification: Verification, header: str) -> Iterator[bytes]:
    """Yield the signatures of one header: separated by commas or spaces, each after the prefix."""
    each = re.compile(rf"(?:^|[,\s])\s*{re.escape(verification.prefix.strip())}\s*([^,\s]+)")
    for text in each.findall(header.strip())[:_MAX_SIGNATURES]:
        try:
            yield bytes.fromhex(text) if verification.encoding == "hex" else base64.b64decode(text, validate=True)
        except ValueError:
            continue


def _is_timely(verification: Verification, request: SignedRequest) -> bool:
    if verification.timestamp_header is None:
        return True
    sent = parse_milliseconds(rfc_3339(request.headers[verification.timestamp_header.lower()]))
    return abs(request.received - sent) <= _TOLERANCE


def _header(verification: Verification, secret: str, request: SignedRequest) -> Refusal | None:
    fits = hmac.compare_digest(secret.encode(), request.headers[verification.header.lower()].encode())
    return None if fits else Refusal.SIGNATURE


_VERIFIERS: Mapping[VerificationType, _Verifier] = {
    VerificationType.STANDARD_WEBHOOKS: _standard_webhooks,
    VerificationType.HMAC_SHA256: _hmac_sha256,
    VerificationType.HEADER: _header,
}
