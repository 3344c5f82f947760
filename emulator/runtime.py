"""The app inside ``azure-functions-runtime``, the library that the Python worker runs in Azure."""

import json
import os
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime

from emulator.host_settings import LoadError
from emulator.protos import PROTOS, ParameterBinding, TypedData


class InvocationError(Exception):
    """The function raised; the text is its message and trace."""


@dataclass(frozen=True)
class Function:
    """An indexed function: its id, name, trigger binding, and the trigger argument's name."""

    id: str
    name: str
    trigger: dict[str, Any]


async def load(app: Path) -> list[Function]:
    """Index the app's ``function_app.py``; one app a process."""
    os.chdir(app)
    sys.path.insert(0, str(app))
    init = SimpleNamespace(capabilities={}, function_app_directory=str(app))
    answer = await runtime.worker_init_request(_request(worker_init_request=init))
    if answer.result.status != PROTOS.StatusResult.Success:
        raise LoadError(answer.result.exception.message)
    metadata = await runtime.functions_metadata_request(_request())
    runtime.start_threadpool_executor()
    found = metadata.function_metadata_results or []
    return [Function(function.function_id, function.name, _trigger(function.raw_bindings)) for function in found]


def stop() -> None:
    """Stop the runtime's threads; last of all."""
    runtime.stop_threadpool_executor()


async def invoke(
    function: Function, data: TypedData, metadata: dict[str, TypedData], trace: tuple[str, str] = ("", "")
) -> Any:
    """Return what the function returned, as ``TypedData``; ``trace`` is ``traceparent`` and ``tracestate``.

    Raises ``InvocationError``.
    """
    invocation_id = str(uuid.uuid4())
    invocation = SimpleNamespace(
        invocation_id=invocation_id,
        function_id=function.id,
        input_data=[ParameterBinding(name=function.trigger["name"], data=data)],
        trigger_metadata=metadata,
        trace_context=SimpleNamespace(trace_parent=trace[0], trace_state=trace[1], attributes={}),
        retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
    )
    runtime.invocation_id_cv.set(invocation_id)
    answer = await runtime.invocation_request(_request(invocation_request=invocation))
    if answer.result.status != PROTOS.StatusResult.Success:
        error = answer.result.exception
        raise InvocationError(f"{error.message}\n{error.stack_trace}".rstrip())
    return answer.return_value


def _request(**inner: Any) -> Any:
    return SimpleNamespace(request=SimpleNamespace(**inner), properties={"protos": PROTOS, "host": "127.0.0.1"})


def _trigger(raw_bindings: list[str]) -> dict[str, Any]:
    bindings: list[dict[str, Any]] = [json.loads(binding) for binding in raw_bindings]
    return next(binding for binding in bindings if binding["type"].lower().endswith("trigger"))
