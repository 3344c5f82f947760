"""Which relay, and with which key: from options, the environment, or a ``.env`` in the current folder, in this order.

The key is never shown, and leaves the machine only over https.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from relay.failure import wrong

DEFAULT_URL = "http://127.0.0.1:7071"


@dataclass(frozen=True)
class Connection:
    """``url`` has no slash at its end and no ``/api``."""

    url: str
    key: str | None = field(default=None, repr=False)


def connection(
    url: str | None, key: str | None, environ: Mapping[str, str], folder: Path, *, insecure: bool
) -> Connection:
    """Raises ``Failure``."""
    file = folder / ".env"
    try:
        kept = dotenv_values(file) if file.is_file() else {}
    except (OSError, UnicodeDecodeError):
        raise wrong(f"{file} cannot be read: it must be UTF-8 text") from None
    address = url or environ.get("RELAY_URL") or kept.get("RELAY_URL") or DEFAULT_URL
    secret = key or environ.get("RELAY_KEY") or kept.get("RELAY_KEY") or None
    if secret is not None and not (secret.isascii() and secret.isprintable()):
        raise wrong("the key holds characters that no key has", "look at --key or RELAY_KEY")
    return Connection(_checked(address.strip(), insecure=insecure), secret and secret.strip())


def _checked(address: str, *, insecure: bool) -> str:
    hint = "such as https://APP.azurewebsites.net (--url, RELAY_URL)"
    try:
        url = urlsplit(address)
        host = url.hostname or ""
        _ = url.port
    except ValueError:
        raise wrong("the relay's address is not a URL", hint) from None
    if url.scheme not in ("http", "https") or not host or url.username or url.password or url.fragment:
        raise wrong("the relay's address must be an http(s) URL", hint)
    if url.query:
        raise wrong("the relay's address must not have a query", "give the key with --key or RELAY_KEY")
    if url.scheme == "http" and not insecure and not _is_loopback(host):
        raise wrong(
            f"http://{host} would carry key and statuses in clear text", "use https, or --insecure where that is fine"
        )
    return f"{url.scheme}://{url.netloc}{url.path}".rstrip("/").removesuffix("/api")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
