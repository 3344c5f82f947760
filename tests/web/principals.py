"""Callers as App Service authentication names them to the app."""

import base64
import json
from typing import Any

from shared.settings import Settings
from tests.world import World

ADA = "8d3f2c11-6a0d-4c58-9b7e-0d5b6d1c9a11"
BOB = "5b1c9a11-6a0d-4c58-9b7e-8d3f2c110d5b"
TOKEN = {"Authorization": "Bearer x"}
ENTRA = {
    "UPDATES_STORAGE": "UseDevelopmentStorage=true",
    "AUTHENTICATION": "entra",
    "WEBSITE_AUTH_ENABLED": "True",
}


def entra_world() -> World:
    """Return a relay whose callers Entra answers for."""
    return World(Settings.from_environ(ENTRA))


def encoded(document: Any) -> str:
    """Return the text of ``X-MS-CLIENT-PRINCIPAL`` that holds this document."""
    return base64.b64encode(json.dumps(document).encode()).decode()


def principal(*roles: str, of: str = ADA) -> dict[str, str]:
    """Return the headers of a signed-in caller with these roles."""
    claims = [{"typ": "name", "val": "Ada Lovelace"}, *({"typ": "roles", "val": role} for role in roles)]
    document = {"auth_typ": "aad", "claims": claims, "name_typ": "name", "role_typ": "roles"}
    return {
        "X-MS-CLIENT-PRINCIPAL": encoded(document),
        "X-MS-CLIENT-PRINCIPAL-ID": of,
        "X-MS-CLIENT-PRINCIPAL-NAME": "ada@contoso.com",
        "X-MS-CLIENT-PRINCIPAL-IDP": "aad",
    }


def by_token(*roles: str, of: str = ADA) -> dict[str, str]:
    """Return the headers of a service that sends its token."""
    return principal(*roles, of=of) | TOKEN
