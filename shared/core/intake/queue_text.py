"""The text of a queue message: plain or base64, and what a sender did where it is neither.

A fault that says where the parser stopped is of little use to a sender whose library encoded the message once too
often. So each usual mistake is recognised and named, and the text is decoded as far as it can be.
"""

import ast
import base64
import binascii
import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from shared.core.basics.strict_json import Parsed, read_json

#: Encodings around a message that are taken off to name its mistakes.
_MAX_LAYERS = 4
_BASE64_URL = bytes.maketrans(b"-_", b"+/")
_PYTHON_BYTES = re.compile(r"b(['\"]).*\1", re.DOTALL)
_BARE_NAME = re.compile(r"\{\s*[A-Za-z_$][\w$]*\s*:")
_PRINTED = frozenset({"dequeueCount", "insertionTime", "insertedOn", "popReceipt", "expirationTime", "expiresOn"})

_BASE64_TWICE = "the text is base64 inside base64: encode it once, or send the JSON as it is"
_UTF_16 = "the text is UTF-16 (as [Text.Encoding]::Unicode.GetBytes of PowerShell makes it): encode it as UTF-8"
_BYTES = "the text is how Python prints bytes (b'...'): send the bytes themselves, or decode() them first"
_JSON_TWICE = "the JSON is one string that holds the message: it was serialized twice, serialize it once"
_BASE64_IN_QUOTES = "the text is base64 in quotes: send the base64 without them"
_ARRAY = "the message is an array: put each update on the queue as a message of its own"
_BATCH = "the message is a batch, which only POST /api/updates/batch takes: put each update on the queue on its own"
_WHOLE_MESSAGE = "the message is a queue message as a tool prints it: send only its content"
_NO_QUOTES = "the names have no quotes: the shell took them; quote the whole message for it"


@dataclass(frozen=True)
class Mistake:
    """What a sender did, in words for the sender, and the text below it."""

    detail: str
    text: str


def decoded(body: bytes) -> bytes:
    """Return what base64 or base64url holds, padded or not, where the body is that; JSON objects never are."""
    text = b"".join(body.split())
    if not text or text[:1] in b"{[":
        return body
    try:
        return base64.b64decode(text.translate(_BASE64_URL) + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return body


def clean_text(content: bytes) -> str | None:
    """Return the UTF-8 text of bytes; None where it is none, or holds control characters."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    control = any(unicodedata.category(character) == "Cc" and character not in "\t\r\n" for character in text)
    return None if control else text


def mistake_in(body: bytes) -> Mistake | None:
    """Return the mistakes of a message's sender, outermost first, and the text below all of them."""
    content, details = decoded(body), []
    for _ in range(_MAX_LAYERS):
        found = next(filter(None, (look(content) for look in _LOOKS)), None)
        if found is None:
            break
        details.append(found.detail)
        content = found.text.encode()
        if found.detail in (_ARRAY, _BATCH, _NO_QUOTES):
            break
    if not details:
        return None
    return Mistake("; and ".join(dict.fromkeys(details)), content.decode())


def _utf_16(content: bytes) -> Mistake | None:
    if len(content) < 2 or len(content) % 2 or b"\0" not in content:  # noqa: PLR2004 - one code unit
        return None
    for encoding in ("utf-16-le", "utf-16-be"):
        with suppress(UnicodeDecodeError):
            text = content.decode(encoding).removeprefix("\ufeff")
            if text.lstrip()[:1] in ("{", "[", '"') and "\0" not in text:
                return Mistake(_UTF_16, text)
    return None


def _base64_twice(content: bytes) -> Mistake | None:
    inner = decoded(content)
    if inner == content:
        return None
    below = _utf_16(inner)
    if below is not None:
        return Mistake(f"{_BASE64_TWICE}; and {below.detail}", below.text)
    text = clean_text(inner)
    return Mistake(_BASE64_TWICE, text) if text and text.lstrip()[:1] in ("{", "[", '"') else None


def _python_bytes(content: bytes) -> Mistake | None:
    text = (clean_text(content) or "").strip()
    if not _PYTHON_BYTES.fullmatch(text):
        return None
    try:
        value: object = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    return _below(_BYTES, value) if isinstance(value, bytes) else None


def _json_in_json(content: bytes) -> Mistake | None:
    parsed = read_json(content)
    if not isinstance(parsed, Parsed) or not isinstance(parsed.value, str):
        return None
    inner = parsed.value.encode()
    return _below(_JSON_TWICE if decoded(inner) == inner else _BASE64_IN_QUOTES, inner)


def _below(detail: str, inner: bytes) -> Mistake | None:
    """Return the mistake with what its text holds, base64 or not."""
    text = clean_text(decoded(inner))
    return None if text is None else Mistake(detail, text)


def _not_one_message(content: bytes) -> Mistake | None:
    parsed = read_json(content)
    value: Any = parsed.value if isinstance(parsed, Parsed) else None
    printed = value[0] if isinstance(value, list) and len(value) == 1 else value
    if isinstance(printed, dict) and printed.keys() & _PRINTED:
        return _printed(printed)
    text = clean_text(content)
    if text is None:
        return None
    if isinstance(value, list):
        return Mistake(_ARRAY, text)
    if isinstance(value, dict) and value.keys() == {"updates"}:
        return Mistake(_BATCH, text)
    return Mistake(_NO_QUOTES, text) if value is None and _BARE_NAME.match(text) else None


def _printed(message: dict[str, Any]) -> Mistake | None:
    inner = next((message[name] for name in ("content", "asString", "messageText") if name in message), None)
    return _below(_WHOLE_MESSAGE, inner.encode(errors="replace")) if isinstance(inner, str) else None


_LOOKS: tuple[Callable[[bytes], Mistake | None], ...] = (
    _utf_16,
    _base64_twice,
    _python_bytes,
    _json_in_json,
    _not_one_message,
)
