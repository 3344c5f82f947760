"""What is known of a caller: the address that it used, and who it is where the platform has established that."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import azure.functions as func  # noqa: TID251 - the HTTP face speaks the host's types


@dataclass(frozen=True)
class Callers:
    """``public_base_url`` for apps behind a gateway; ``trusts_principal`` where App Service authentication is on."""

    public_base_url: str | None
    trusts_principal: bool

    def base(self, request: func.HttpRequest) -> str:
        """Return what absolute URLs in answers begin with."""
        if self.public_base_url is not None:
            return self.public_base_url
        url = urlsplit(request.url)
        return f"{url.scheme}://{url.netloc}"

    def principal(self, request: func.HttpRequest) -> str | None:
        """Return the Entra principal; the header can be forged where App Service authentication does not remove it."""
        return request.headers.get("X-MS-CLIENT-PRINCIPAL-ID") if self.trusts_principal else None
