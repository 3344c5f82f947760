"""Plain classes in place of the Functions host's protobuf messages: just what Microsoft's Python runtime touches."""

from types import SimpleNamespace
from typing import Any


class _Message:
    """Takes any fields; a name it was not given is an AttributeError, which the runtime probes for."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


class StatusResult(_Message):
    """How a call ended."""

    Failure, Success, Cancelled = 0, 1, 2


class BindingInfo(_Message):
    """A binding's direction and data type."""

    in_, out, inout = 0, 1, 2
    undefined, string, binary, stream = 0, 1, 2, 3


class TypedData(_Message):
    """A value and which of its kinds it is."""

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protobuf's own name
        """Return the name of the field that is set."""
        return next(iter(self.__dict__), None)


class RpcHttpCookie(_Message):
    """A cookie of an HTTP answer."""

    SameSite = SimpleNamespace(**{"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3})


class RpcHttp(_Message):
    """An HTTP request or answer."""


class ParameterBinding(_Message):
    """A named value."""

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protobuf's own name
        """Return how the data comes: always by value here, never by shared memory."""
        return "data"


def _kind(name: str) -> type[_Message]:
    return type(name, (_Message,), {"__doc__": "A message of the host's protocol."})


_SPECIAL: tuple[type[_Message], ...] = (StatusResult, BindingInfo, TypedData, RpcHttp, RpcHttpCookie, ParameterBinding)
_PLAIN = (
    "RpcException",
    "WorkerMetadata",
    "WorkerInitResponse",
    "FunctionMetadataResponse",
    "FunctionLoadResponse",
    "FunctionEnvironmentReloadResponse",
    "InvocationResponse",
    "RpcFunctionMetadata",
    "NullableString",
    "NullableBool",
    "NullableDouble",
    "NullableTimestamp",
    "RpcRetryOptions",
    "Timestamp",
)
PROTOS = SimpleNamespace(**{kind.__name__: kind for kind in (*_SPECIAL, *map(_kind, _PLAIN))})
