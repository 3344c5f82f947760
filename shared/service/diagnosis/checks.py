"""How a check of the doctor or of readiness ends."""

from dataclasses import dataclass
from enum import StrEnum


class CheckStatus(StrEnum):
    """How a check ended."""

    OK = "ok"
    FAILING = "failing"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class CheckResult:
    """One check: what was found, and what to do about it."""

    name: str
    status: CheckStatus
    detail: str
    next_step: str | None = None


def ok(name: str, detail: str) -> CheckResult:
    """Return that all is well."""
    return CheckResult(name, CheckStatus.OK, detail)


def failing(name: str, detail: str, next_step: str) -> CheckResult:
    """Return that it does not work, and what helps."""
    return CheckResult(name, CheckStatus.FAILING, detail, next_step)


def unknown(name: str, detail: str, next_step: str) -> CheckResult:
    """Return that it is not known."""
    return CheckResult(name, CheckStatus.UNKNOWN, detail, next_step)
