"""A scripted identity."""

from dataclasses import dataclass

from shared.service.ports.graph import IdentityUnavailable


@dataclass
class ScriptedIdentity:
    """A token, another one after each rejection, or none."""

    fault: str | None = None
    number: int = 1
    issued: str | None = None

    def token(self) -> str:
        if self.fault:
            raise IdentityUnavailable(self.fault)
        return self.issued or f"token-{self.number}"

    def fresh_token(self, rejected: str) -> str:
        if self.fault:
            raise IdentityUnavailable(self.fault)
        if rejected == f"token-{self.number}":
            self.number += 1
        return f"token-{self.number}"
