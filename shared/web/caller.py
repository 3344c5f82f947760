"""What the HTTP face knows of its caller: the address it used, who it is, and what it may do."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types

from shared.web.authorization import Principal, refusal, refusal_to_read
from shared.web.principal import read_principal


@dataclass(frozen=True)
class Callers:
    """``public_base_url`` for apps behind a gateway; ``trusts_principal`` where App Service authentication is on.

    With ``needs_role`` (``AUTHENTICATION=entra``) the app decides by the principal's roles who may call what; without
    it the host has asked for a function key.
    """

    public_base_url: str | None
    trusts_principal: bool
    needs_role: bool = False

    def base(self, request: func.HttpRequest) -> str:
        """Return what absolute URLs in answers begin with."""
        if self.public_base_url is not None:
            return self.public_base_url
        url = urlsplit(request.url)
        return f"{url.scheme}://{url.netloc}"

    def principal(self, request: func.HttpRequest) -> str | None:
        """Return the caller's Entra object id; the header is forgeable where App Service authentication is off."""
        return request.headers.get("X-MS-CLIENT-PRINCIPAL-ID") if self.trusts_principal else None

    def signed_in(self, request: func.HttpRequest) -> Principal | None:
        """Return the principal that App Service authentication established."""
        return read_principal(request.headers) if self.trusts_principal else None

    def authorize(self, operation: str, request: func.HttpRequest) -> None:
        """Raise a problem where the caller may not do this: 401 without a principal, 403 without a role or proof."""
        if self.needs_role:
            refused = refusal(operation, self.signed_in(request), request.method, request.headers)
            if refused is not None:
                raise refused

    def authorize_reading(self, submitted_by: str | None, request: func.HttpRequest) -> None:
        """Raise a problem where the caller may read its own updates alone, and this is another's."""
        if self.needs_role and (principal := self.signed_in(request)) is not None:
            refused = refusal_to_read(submitted_by, principal)
            if refused is not None:
                raise refused
