"""The app that was run on Microsoft's host: it shows what a function is given, and answers as it is asked to."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import azure.functions as func
from records import pause, record
from triggers import triggers

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
app.register_functions(triggers)
ALL = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
#: The functions that show their request: name, route, methods (None: no methods are named).
SHOWING: dict[str, tuple[str | None, list[str] | None]] = {
    "echo": ("echo", ALL),
    "get_only": ("get-only", ["GET"]),
    "post_only": ("post-only", ["POST"]),
    "any_method": ("any-method", None),
    "no_route": (None, None),
    "mixed_case": ("MiXed/Case", ALL),
    "param_text": ("item/{name}", ALL),
    "param_int": ("int/{id:int}", ALL),
    "param_guid": ("guid/{id:guid}", ALL),
    "param_alpha": ("alpha/{x:alpha}", ALL),
    "param_length": ("length/{x:length(3)}", ALL),
    "param_min": ("min/{x:min(5)}", ALL),
    "param_bool": ("bool/{x:bool}", ALL),
    "param_optional": ("optional/{x?}", ALL),
    "param_default": ("default/{x=seven}", ALL),
    "param_two": ("two/{first}/{second}", ALL),
    "param_file": ("file/{name}.{ext}", ALL),
    "rest": ("rest/{*rest}", ALL),
    # Two routes for one path, the one or the other first in the alphabet.
    "x_second_literal": ("overlap/x/literal", ALL),
    "x_first_template": ("overlap/x/{any}", ALL),
    "y_second_template": ("overlap/y/{any}", ALL),
    "y_first_literal": ("overlap/y/literal", ALL),
    "z_second_literal": ("overlap/z/a/b", ALL),
    "z_first_catch_all": ("overlap/z/{*all}", ALL),
    "same_post": ("same/{id}", ["POST"]),
    "same_get": ("same/{id}", ["GET"]),
    "same_get_twin": ("same/{id}", ["GET"]),
    "m_first_put": ("overlap/m/{any}", ["PUT"]),
    "m_second_get": ("overlap/m/literal", ["GET"]),
    "c_b_template": ("overlap/c/{any}", ALL),
    "C_Z_literal": ("overlap/c/literal", ALL),
    "d_ab": ("overlap/d/{any}", ALL),
    "d_a_z": ("overlap/d/literal", ALL),
    "route_admin": ("admin/thing", ALL),
    "route_runtime": ("runtime/thing", ALL),
    "route_administration": ("administration/thing", ALL),
}
LEVELS = [func.AuthLevel.FUNCTION, func.AuthLevel.ADMIN, func.AuthLevel.ANONYMOUS]


def shown(req: func.HttpRequest, function: str) -> func.HttpResponse:
    """Everything that a function can learn of its request."""
    body = req.get_body()
    seen = {
        "function": function,
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "params": dict(req.params),
        "route_params": dict(req.route_params),
        "body": hashlib.sha256(body).hexdigest() if body else "none",
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json")


def showing(name: str) -> Callable[[func.HttpRequest], func.HttpResponse]:
    """A function of this name that shows its request."""

    def function(req: func.HttpRequest) -> func.HttpResponse:
        return shown(req, name)

    function.__name__ = name
    return function


for _name, (_route, _methods) in SHOWING.items():
    app.route(_route, methods=_methods)(showing(_name))
for _level in LEVELS:
    _short = _level.value.lower()
    app.route(f"level/{_short}", methods=ALL, auth_level=_level)(showing(f"level_{_short}"))


@app.route("give/text", methods=ALL)
def give_text(req: func.HttpRequest) -> str:
    return "text, \u00fc"


@app.route("give/empty-text", methods=ALL)
def give_empty_text(req: func.HttpRequest) -> str:
    return ""


def giving(name: str, value: Any) -> Callable[[func.HttpRequest], Any]:
    """A function of this name that returns the value, whatever it is."""

    def function(req: func.HttpRequest):  # noqa: ANN202 - the host refuses most annotations here
        return value

    function.__name__ = name
    return function


for _kind, _value in {"none": None, "none-async": None, "bytes": b"bytes", "number": 7, "object": {"a": 1}}.items():
    app.route(f"give/{_kind}", methods=ALL)(giving(f"give_{_kind.replace('-', '_')}", _value))
app.route("give/text-unannotated", methods=ALL)(giving("give_text_unannotated", "text"))


@app.route("respond", methods=ALL)
def respond(req: func.HttpRequest) -> func.HttpResponse:
    """``do``: ``{"status", "body" or "base64" or "repeat", "headers": [[name, value]], "mimetype", "charset"}``."""
    do = json.loads(req.params["do"])
    body = base64.b64decode(do["base64"]) if "base64" in do else do.get("body")
    if "repeat" in do:
        body = "a" * do["repeat"]
    more = {name: do[name] for name in ("mimetype", "charset") if name in do}
    answer = func.HttpResponse(body, status_code=do.get("status", 200), **more)
    for name, value in do.get("headers", []):
        answer.headers.add(name, value)
    return answer


@app.route("raise", methods=ALL)
def raise_it(req: func.HttpRequest) -> func.HttpResponse:
    raise ValueError("asked to fail")


@app.route("raise-async", methods=ALL)
async def raise_it_async(req: func.HttpRequest) -> func.HttpResponse:
    raise ValueError("asked to fail")


@app.route("sleep", methods=ALL)
def sleep(req: func.HttpRequest) -> func.HttpResponse:
    record(kind="http", event="start")
    pause(float(req.params["seconds"]))
    return func.HttpResponse("slept")


@app.route("sleep-async", methods=ALL)
async def sleep_async(req: func.HttpRequest) -> func.HttpResponse:
    record(kind="http", event="start")
    await asyncio.sleep(float(req.params["seconds"]))
    return func.HttpResponse("slept")


@app.route("facts", methods=["GET"])
def facts(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """What the context says."""
    trace = context.trace_context
    found = {
        "function_name": context.function_name,
        "trace_parent": trace.trace_parent,
        "trace_state": trace.trace_state,
        "retry": context.retry_context and context.retry_context.retry_count,
    }
    return func.HttpResponse(json.dumps(found), mimetype="application/json")
