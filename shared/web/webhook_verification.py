"""Whether a webhook request comes from its source; whatever goes wrong inside a verifier, the answer is no."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping

from standardwebhooks.webhooks import Webhook

from shared.core.intake.webhook_source import Verification, VerificationType

#: An unknown source is verified as well, so that the time it takes tells nothing.
UNKNOWN_SOURCE = Verification(VerificationType.HMAC_SHA256, ("nobody knows this",), header="x-signature")


def is_verified(verification: Verification, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether any of the secrets fits; ``headers`` by their names in lower case. Never raises."""
    verifier = _VERIFIERS[verification.type]
    # A list, not any(...) over a generator: which secret fits takes no time to tell.
    return any([_safely(verifier, verification, secret, headers, body) for secret in verification.secrets])  # noqa: C419


type _Verifier = Callable[[Verification, str, Mapping[str, str], bytes], bool]


def _safely(
    verifier: _Verifier, verification: Verification, secret: str, headers: Mapping[str, str], body: bytes
) -> bool:
    try:
        return verifier(verification, secret, headers, body)
    except Exception:  # noqa: BLE001 - the boundary: garbage makes verifiers fail in many ways, all of them mean no
        return False


def _standard_webhooks(_: Verification, secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    Webhook(secret).verify(body, dict(headers), json_parse=False)
    return True


def _hmac_sha256(verification: Verification, secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    given = headers[verification.header.lower()].strip()
    if not given.startswith(verification.prefix):
        return False
    text = given.removeprefix(verification.prefix)
    signature = bytes.fromhex(text) if verification.encoding == "hex" else base64.b64decode(text, validate=True)
    return hmac.compare_digest(hmac.new(secret.encode(), body, hashlib.sha256).digest(), signature)


def _header(verification: Verification, secret: str, headers: Mapping[str, str], _: bytes) -> bool:
    return hmac.compare_digest(secret.encode(), headers[verification.header.lower()].encode())


_VERIFIERS: Mapping[VerificationType, _Verifier] = {
    VerificationType.STANDARD_WEBHOOKS: _standard_webhooks,
    VerificationType.HMAC_SHA256: _hmac_sha256,
    VerificationType.HEADER: _header,
}
