"""The app's managed identity for Graph: a cached token, a fresh one after a 401, and nothing else."""

from collections.abc import Callable
from datetime import datetime

from shared.adapters.shared_credential import ManagedIdentitySource, NoToken, SharedCredential
from shared.service.ports.graph import IdentityUnavailable

#: Sent to no one (docs/graph-facts.md#f25); its presence alone makes azure-identity ask the endpoint again.
_AGAIN = '{"access_token":{"nbf":{"essential":true}}}'


class ManagedIdentity:
    """``Identity`` of the ports, for one scope."""

    def __init__(self, *, scope: str, client_id: str | None, clock: Callable[[], datetime]) -> None:
        self._credential = SharedCredential(scope, lambda: ManagedIdentitySource(client_id), clock=clock)

    def token(self) -> str:
        """Return a token with some minutes to live. Raise ``IdentityUnavailable``."""
        try:
            return self._credential.get_token().token
        except NoToken as error:
            raise IdentityUnavailable(str(error)) from error

    def fresh_token(self, rejected: str) -> str:
        """Return another token than the rejected one, shared by threads that were rejected together."""
        try:
            return self._credential.fresh_token(rejected, _AGAIN).token
        except NoToken as error:
            raise IdentityUnavailable(str(error)) from error
