"""The relay's address and key: from options, the environment, or a ``.env`` in the current folder, in this order.

The key is never printed, and leaves the machine only over https.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from relay.errors import usage_error

DEFAULT_URL = "http://127.0.0.1:7071"


@dataclass(frozen=True)
class Config:
    """Where the relay is; ``url`` ends without a slash and without ``/api``."""

    url: str
    key: str | None = field(default=None, repr=False)


def read_config(
    url: str | None, key: str | None, environ: Mapping[str, str], folder: Path, *, insecure: bool
) -> Config:
    """Return the address and the key. Raise ``CommandError`` for one that cannot be used."""
    file = folder / ".env"
    try:
        stored = dotenv_values(file) if file.is_file() else {}
    except (OSError, UnicodeDecodeError):
        raise usage_error(f"{file} cannot be read: it must be UTF-8 text") from None
    address = url or environ.get("RELAY_URL") or stored.get("RELAY_URL") or DEFAULT_URL
    secret = key or environ.get("RELAY_KEY") or stored.get("RELAY_KEY") or None
    if secret is not None and not (secret.isascii() and secret.isprintable()):
        raise usage_error("the key holds characters that no key has", "look at --key or RELAY_KEY")
    return Config(_checked(address.strip(), insecure=insecure), secret and secret.strip())


def _checked(address: str, *, insecure: bool) -> str:
    hint = "such as https://APP.azurewebsites.net (--url, RELAY_URL)"
    try:
        url = urlsplit(address)
        host = url.hostname or ""
        _ = url.port
    except ValueError:
        raise usage_error("the relay's address is not a URL", hint) from None
    if url.scheme not in ("http", "https") or not host or url.username or url.password or url.fragment:
        raise usage_error("the relay's address must be an http(s) URL", hint)
    if url.query:
        raise usage_error("the relay's address must not have a query", "give the key with --key or RELAY_KEY")
    if url.scheme == "http" and not insecure and not _is_loopback(host):
        raise usage_error(
            f"http://{host} would carry key and statuses in clear text", "use https, or --insecure where that is fine"
        )
    return f"{url.scheme}://{url.netloc}{url.path}".rstrip("/").removesuffix("/api")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
