"""Sessions of ``requests`` that know where a proxy belongs, and which certificates are trusted.

The environment's proxies are for Graph and storage; a loopback address and the identity endpoint, whose requests carry
a secret header, are never reached through one (docs/graph-facts.md#f92).
"""

import ipaddress
import os
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.utils import get_environ_proxies

#: Each names a file of certificates to trust instead of the usual ones; the first that is there counts.
CERTIFICATE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def new_session(url: str, adapter: BaseAdapter, *, proxied: bool = True) -> requests.Session:
    """Return a session for the services under ``url``; it reads nothing else from the environment, such as .netrc."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    if proxied and not is_loopback(url):
        session.proxies.update(get_environ_proxies(url))
    session.verify = trusted_certificates()
    return session


def trusted_certificates() -> str | bool:
    """Return the file of the certificates to trust; True for those that come with ``requests``."""
    environ = os.environ  # noqa: TID251 - requests itself reads the first two from there
    named = (environ.get(name) for name in CERTIFICATE_VARIABLES)
    return next((path for path in named if path and Path(path).exists()), True)


def is_loopback(url: str) -> bool:
    """Return whether this address never leaves the machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
