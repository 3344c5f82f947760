"""Where a piece of work comes from: W3C Trace Context (version 00 of ``traceparent``), as text.

A trace context is a courtesy: a bad one is no fault of the message that brings it, it is left out.
"""

import re
from dataclasses import dataclass

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_NO_VERSION = "ff"
#: Sampled, and a random trace id (Level 2).
_FLAGS = 0x03


def read_traceparent(text: object) -> str | None:
    """Return the context in version 00, None where there is none to read; a later version as far as 00 goes."""
    found = _FORM.fullmatch(text.strip(" \t")) if isinstance(text, str) else None
    if found is None:
        return None
    version, trace_id, span_id, flags, rest = found.groups()
    if version == _NO_VERSION or not int(trace_id, 16) or not int(span_id, 16) or (version == "00" and rest):
        return None
    return f"00-{trace_id}-{span_id}-{int(flags, 16) & _FLAGS:02x}"


@dataclass(frozen=True)
class Trace:
    """What a span follows: its parent, and what else has led to it."""

    parent: str | None = None
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class Origin:
    """The contexts around a request: its ``traceparent`` header, and that of the host's invocation."""

    header: str | None = None
    invocation: str | None = None

    def trace(self, *named: str | None) -> Trace:
        """Return what the work for one message follows; ``named`` are the contexts in its message.

        The caller's header comes first, by way of the invocation that the host has made its child; then the message's
        own context; then the invocation's, which the host begins where no request brings one.
        """
        caller = self.invocation if _same_trace(self.header, self.invocation) else self.header
        known = dict.fromkeys(context for context in (caller, *named, self.invocation) if context is not None)
        parent, *links = known or (None,)
        return Trace(parent, tuple(links))


def _same_trace(first: str | None, second: str | None) -> bool:
    return first is not None and second is not None and first.split("-")[1] == second.split("-")[1]
