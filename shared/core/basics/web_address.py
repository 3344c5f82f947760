"""Web addresses that an operator configures: https, and plain http only where nothing leaves the machine."""

import ipaddress
from urllib.parse import SplitResult, urlsplit


def web_address(text: str, *, plain_anywhere: bool = False, query: bool = False) -> str:
    """Return an absolute URL. Raise ``ValueError`` for every other text.

    Plain http is for loopback alone unless ``plain_anywhere``; a query needs ``query``. The URL goes into requests as
    it is, so it is ASCII without white space or control characters, and names no user.
    """
    if not text.isascii() or any(character.isspace() or not character.isprintable() for character in text):
        raise ValueError
    url = urlsplit(text)
    host = url.hostname or ""
    plain = url.scheme == "http" and (plain_anywhere or _is_loopback(host))
    if not host or _has_more(url, query=query) or not (url.scheme == "https" or plain):
        raise ValueError
    _ = url.port  # raises ``ValueError`` where it is no port
    return text


def _has_more(url: SplitResult, *, query: bool) -> bool:
    return bool((url.query and not query) or url.fragment or url.username or url.password)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
