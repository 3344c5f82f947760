"""App Service authentication in front of the app, with a sign-in page where one chooses a name and roles.

Like the platform (https://learn.microsoft.com/azure/app-service/overview-authentication-authorization) it takes the
caller's headers from every request, and sets them itself where the request has a session cookie or an access token.
Requests without either go on: the app decides about them. A token that is not valid is 401 without a body.
``/.auth/login/aad``, ``/.auth/logout`` and ``/.auth/me`` are its own.

``python -m emulator.sign_in ROLE ...`` prints an access token of a caller with these roles.
"""

import base64
import html
import json
import sys
import time
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import quote

from aiohttp import web

from emulator.http_request import RefusedError, first_in_query
from emulator.tokens import claims_of, issue

#: With this variable set, the host signs callers in, and the app sees ``WEBSITE_AUTH_ENABLED``.
SIGN_IN = "EMULATOR_SIGN_IN"
#: The app's settings for it.
SETTINGS: Mapping[str, str] = {SIGN_IN: "true", "AUTHENTICATION": "entra"}
ROLES = ("Updates.Send", "Updates.Read", "Updates.Operate")
_AUDIENCE = "api://compliance-status-relay"
_COOKIE = "AppServiceAuthSession"
_LIFETIME_SECONDS = 8 * 3600
_OWN_HEADERS = ("x-ms-client-principal", "x-ms-token-")
_OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_ROLE_TYPE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
_DEFAULT_NAME = "ada@contoso.example"


def access_token(*roles: str, name: str = _DEFAULT_NAME) -> str:
    """Return a token of a caller with these roles, as Entra issues it for the relay."""
    return issue(_AUDIENCE, list(roles), now=time.time(), lifetime=_LIFETIME_SECONDS, oid=object_id(name), name=name)


def object_id(name: str) -> str:
    """Return the object id of the caller of that name."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


def established(given: Mapping[str, str]) -> dict[str, str]:
    """Return a request's headers with those that name its caller: the platform's own alone.

    Raise ``RefusedError`` for an access token that is not valid.
    """
    kept = {name: value for name, value in given.items() if not name.startswith(_OWN_HEADERS)}
    claims = _caller(given)
    if claims is None:
        return kept
    pairs = [*_pairs(claims), *(("roles", role) for role in claims["roles"])]
    principal = {
        "auth_typ": "aad",
        "claims": [{"typ": kind, "val": value} for kind, value in pairs],
        "name_typ": "name",
        "role_typ": _ROLE_TYPE,
    }
    return kept | {
        "x-ms-client-principal": base64.b64encode(json.dumps(principal).encode()).decode(),
        "x-ms-client-principal-id": claims["oid"],
        "x-ms-client-principal-name": claims["name"],
        "x-ms-client-principal-idp": "aad",
    }


async def answer(request: web.BaseRequest, path: str, given: Mapping[str, str]) -> web.StreamResponse | None:
    """Return the answer to a request of ``/.auth``; None where the path is the app's."""
    match path.rstrip("/").lower(), request.method:
        case "/.auth/login/aad", "GET":
            return web.Response(text=_page(request), content_type="text/html")
        case "/.auth/login/aad", "POST":
            return await _signed_in(request)
        case "/.auth/logout", "GET":
            gone = _redirect(_local(first_in_query(request.raw_path, "post_logout_redirect_uri")))
            gone.del_cookie(_COOKIE, path="/")
            return gone
        case "/.auth/me", "GET":
            return _me(given)
        case _:
            return None


def _caller(given: Mapping[str, str]) -> dict[str, Any] | None:
    scheme, _, token = given.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        claims = _valid(token.strip())
        if claims is None:
            raise RefusedError(HTTPStatus.UNAUTHORIZED)
        return claims
    try:
        session = SimpleCookie(given.get("cookie", "")).get(_COOKIE)
    except CookieError:
        return None
    return None if session is None else _valid(session.value)


def _valid(token: str) -> dict[str, Any] | None:
    claims = claims_of(token) if token.isascii() else None
    return claims if claims is not None and claims["aud"] == _AUDIENCE and claims["exp"] > time.time() else None


def _pairs(claims: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [("name", claims["name"]), (_OBJECT_ID, claims["oid"]), ("aud", claims["aud"])]


def _me(given: Mapping[str, str]) -> web.Response:
    claims = _caller(given)
    if claims is None:
        return web.Response(status=HTTPStatus.UNAUTHORIZED)
    user_claims = [{"typ": kind, "val": value} for kind, value in _pairs(claims)]
    return web.json_response([{"provider_name": "aad", "user_id": claims["name"], "user_claims": user_claims}])


async def _signed_in(request: web.BaseRequest) -> web.Response:
    form = await request.post()
    name = str(form.get("name", "")).strip() or _DEFAULT_NAME
    roles = [str(role) for role in form.getall("role", [])]
    done = _redirect(_local(str(form.get("then", ""))))
    done.set_cookie(_COOKIE, access_token(*roles, name=name), path="/", httponly=True, samesite="Lax")
    return done


def _redirect(to: str) -> web.Response:
    return web.Response(status=HTTPStatus.FOUND, headers={"Location": to})


def _local(address: str) -> str:
    """Return an address on this host; the platform sends nobody to another one, unless it was allowed."""
    is_local = address.startswith("/") and not address.startswith(("//", "/\\"))
    return quote(address, safe="/?#&=%:@!$'()*+,;~[]") if is_local else "/.auth/me"


def _page(request: web.BaseRequest) -> str:
    then = html.escape(first_in_query(request.raw_path, "post_login_redirect_uri"))
    roles = "".join(
        f'<p><label><input type="checkbox" name="role" value="{role}"> {role}</label></p>' for role in ROLES
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in (emulated)</title></head>
<body><h1>Sign in</h1>
<p>This page stands for Microsoft Entra. Whoever opens it may be anybody.</p>
<form method="post" action="/.auth/login/aad">
<input type="hidden" name="then" value="{then}">
<p><label>Name <input name="name" value="{_DEFAULT_NAME}"></label></p>
{roles}<p><button>Sign in</button></p>
</form></body></html>"""


if __name__ == "__main__":
    print(access_token(*sys.argv[1:]))
