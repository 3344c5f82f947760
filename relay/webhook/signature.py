"""The headers that prove a webhook request to be its source's. Pure."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from relay.errors import usage_error
from shared.core.intake.webhook_source import Verification, VerificationType


def signed_headers(
    verification: Verification, body: bytes, given: Mapping[str, str], *, epoch_seconds: int
) -> dict[str, str]:
    """Return the given headers and those of the proof, made with the source's first secret.

    A header with the time of the request is added where it is not given. Raise ``CommandError`` for another header that
    the signature covers and that is not given.
    """
    headers = {name.lower(): text for name, text in given.items()}
    secret = verification.secrets[0]
    match verification.type:
        case VerificationType.HEADER:
            proof = {verification.header: secret}
        case VerificationType.HMAC_SHA256:
            proof = _hmac_sha256(verification, secret, body, headers, epoch_seconds)
        case VerificationType.STANDARD_WEBHOOKS:
            proof = _standard_webhooks(secret, body, headers, epoch_seconds)
    signed = {**given, **proof}
    for name, text in signed.items():
        if not (text.isascii() and text.isprintable()):
            raise usage_error(f"the value of the header {name} holds characters that no header has")
    return signed


def _hmac_sha256(
    verification: Verification, secret: str, body: bytes, headers: dict[str, str], epoch_seconds: int
) -> dict[str, str]:
    time = verification.timestamp_header
    added: dict[str, str] = {time: str(epoch_seconds)} if time and time.lower() not in headers else {}
    try:
        content = verification.content(headers | {name.lower(): text for name, text in added.items()}, body)
    except KeyError as error:
        raise usage_error(f"the signature covers the header {error.args[0]}", "give --header 'NAME: VALUE'") from None
    digest = hmac.new(secret.encode(), content, hashlib.sha256).digest()
    text = digest.hex() if verification.encoding == "hex" else base64.b64encode(digest).decode()
    return {**added, verification.header: verification.prefix + text}


def _standard_webhooks(secret: str, body: bytes, headers: dict[str, str], epoch_seconds: int) -> dict[str, str]:
    """Sign as https://github.com/standard-webhooks/standard-webhooks says.

    The id becomes the idempotency key: it is another one for each request, unless given.
    """
    webhook_id = headers.get("webhook-id", f"relay-cli-{epoch_seconds}-{hashlib.sha256(body).hexdigest()[:16]}")
    timestamp = headers.get("webhook-timestamp", str(epoch_seconds))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": webhook_id, "webhook-timestamp": timestamp, "webhook-signature": signature}
