"""The table of contents: every trigger of the app and the one call that answers it."""

import azure.functions as func

from shared.web.deliveries import delivery
from shared.wiring import Lazily, load_settings

settings = load_settings()
relay = Lazily(settings)
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.queue_trigger(arg_name="message", queue_name=settings.queue, connection="UPDATES_STORAGE")
def deliver(message: func.QueueMessage, context: func.Context) -> None:
    """An update's turn."""
    relay().deliver(delivery(message, context.trace_context.trace_parent))


@app.queue_trigger(arg_name="message", queue_name=settings.poison_queue, connection="UPDATES_STORAGE")
def poison(message: func.QueueMessage) -> None:
    """A message that the host gave up."""
    relay().operations().poison(delivery(message))


@app.timer_trigger(arg_name="timer", schedule="30 */5 * * * *")
def reconcile(timer: func.TimerRequest) -> None:
    """No accepted update stays without a final status."""
    relay().operations().reconcile()


@app.timer_trigger(arg_name="timer", schedule="0 10 3 * * *")
def reconcile_everything(timer: func.TimerRequest) -> None:
    """The same, over the whole retention."""
    relay().operations().reconcile(everything=True)


@app.timer_trigger(arg_name="timer", schedule="15 * * * * *")
def observe(timer: func.TimerRequest) -> None:
    """How things stand, for whoever watches."""
    relay().operations().observe()


@app.timer_trigger(arg_name="timer", schedule="0 40 * * * *")
def purge(timer: func.TimerRequest) -> None:
    """What is older than the retention goes."""
    relay().operations().purge()


@app.timer_trigger(arg_name="timer", schedule="15 * * * * *")
def erase(timer: func.TimerRequest) -> None:
    """Erasures go on."""
    relay().operations().erase()


@app.route("updates", methods=["POST"])
async def post_update(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Accept one update."""
    return await relay().api.post_update(req, invocation=context.trace_context.trace_parent)


@app.route("updates", methods=["GET"])
def list_updates(req: func.HttpRequest) -> func.HttpResponse:
    """The updates, newest first."""
    return relay().api.list_updates(req)


@app.route("updates/batch", methods=["POST"])
def post_batch(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Accept many updates."""
    return relay().batches.post_batch(req, invocation=context.trace_context.trace_parent)


@app.route("updates/replay", methods=["POST"])
def replay_updates(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Replay what failed or was canceled, by filter."""
    return relay().api.replay_updates(req, invocation=context.trace_context.trace_parent)


@app.route("updates/{id}", methods=["GET"])
async def get_update(req: func.HttpRequest) -> func.HttpResponse:
    """One update's outcome."""
    return await relay().api.get_update(req)


@app.route("updates/{id}/cancel", methods=["POST"])
def cancel_update(req: func.HttpRequest) -> func.HttpResponse:
    """Take one update back."""
    return relay().api.cancel_update(req)


@app.route("updates/{id}/replay", methods=["POST"])
def replay_update(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Replay one update."""
    return relay().api.replay_update(req, invocation=context.trace_context.trace_parent)


@app.route("deviceCompliancePolicies/{p}/userStatuses/{u}", methods=["GET"])
def get_user_status(req: func.HttpRequest) -> func.HttpResponse:
    """What stands in Graph, and what waits."""
    return relay().operations().user_statuses.get_user_status(req)


@app.route("erasures", methods=["POST"])
def post_erasure(req: func.HttpRequest) -> func.HttpResponse:
    """Erase a person's data."""
    return relay().operations().erasures.post_erasure(req)


@app.route("erasures/{id}", methods=["GET"])
def get_erasure(req: func.HttpRequest) -> func.HttpResponse:
    """How far an erasure has come."""
    return relay().operations().erasures.get_erasure(req)


@app.route("webhooks/{source}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def post_webhook(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """What another system tells, verified by us."""
    return relay().webhooks.post_webhook(req, invocation=context.trace_context.trace_parent)


@app.route("webhooks/{source}", methods=["OPTIONS"], auth_level=func.AuthLevel.ANONYMOUS)
def allow_webhook(req: func.HttpRequest) -> func.HttpResponse:
    """The CloudEvents handshake."""
    return relay().webhooks.allow_webhook(req)


@app.route("stats", methods=["GET"])
def get_stats(req: func.HttpRequest) -> func.HttpResponse:
    """The last 24 hours."""
    return relay().operations().stats.get_stats(req)


@app.route("doctor", methods=["GET"])
async def get_doctor(req: func.HttpRequest) -> func.HttpResponse:
    """What keeps the relay from its work, and the next step."""
    return await relay().operations().doctor.get_doctor(req)


@app.route("health/live", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def live(req: func.HttpRequest) -> func.HttpResponse:
    """The process runs."""
    return await relay().health.live(req)


@app.route("health/ready", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def ready(req: func.HttpRequest) -> func.HttpResponse:
    """Everything around it can be used."""
    return await relay().health.ready(req)


@app.route("openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def get_openapi(req: func.HttpRequest) -> func.HttpResponse:
    """The API's description."""
    return relay().operations().openapi.get_openapi(req)


@app.route("dashboard", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def get_dashboard(req: func.HttpRequest) -> func.HttpResponse:
    """The operator's dashboard."""
    return relay().operations().pages.get_dashboard(req)


@app.route("dashboard/{file}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def get_dashboard_file(req: func.HttpRequest) -> func.HttpResponse:
    """What its page is made of."""
    return relay().operations().pages.get_dashboard_file(req)


@app.route(
    "{*path}",
    methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"],
    auth_level=func.AuthLevel.ANONYMOUS,
)
def unknown(req: func.HttpRequest) -> func.HttpResponse:
    """Every other path, and every other method."""
    return relay().operations().openapi.unknown(req)
