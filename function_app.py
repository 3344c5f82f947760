"""The table of contents: every trigger of the app and the one call that answers it."""

import azure.functions as func

from shared.web.deliveries import delivery
from shared.wiring import Lazily, load_settings

settings = load_settings()
relay = Lazily(settings)
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.queue_trigger(arg_name="message", queue_name=settings.queue, connection="UPDATES_STORAGE")
def deliver(message: func.QueueMessage) -> None:
    """An update's turn."""
    relay().deliver(delivery(message))


@app.queue_trigger(arg_name="message", queue_name=settings.poison_queue, connection="UPDATES_STORAGE")
def poison(message: func.QueueMessage) -> None:
    """A message that the host gave up."""
    relay().poison(delivery(message))


@app.timer_trigger(arg_name="timer", schedule="30 */5 * * * *")
def reconcile(timer: func.TimerRequest) -> None:
    """No accepted update stays without a final status."""
    relay().reconcile()


@app.timer_trigger(arg_name="timer", schedule="0 10 3 * * *")
def reconcile_everything(timer: func.TimerRequest) -> None:
    """The same, over the whole retention."""
    relay().reconcile(everything=True)


@app.timer_trigger(arg_name="timer", schedule="0 40 * * * *")
def purge(timer: func.TimerRequest) -> None:
    """What is older than the retention goes."""
    relay().purge()


@app.route("updates", methods=["POST"])
def post_update(req: func.HttpRequest) -> func.HttpResponse:
    """Accept one update."""
    return relay().api.post_update(req)


@app.route("updates", methods=["GET"])
def list_updates(req: func.HttpRequest) -> func.HttpResponse:
    """The updates, newest first."""
    return relay().api.list_updates(req)


@app.route("updates/{id}", methods=["GET"])
def get_update(req: func.HttpRequest) -> func.HttpResponse:
    """One update's outcome."""
    return relay().api.get_update(req)


@app.route("updates/{id}/cancel", methods=["POST"])
def cancel_update(req: func.HttpRequest) -> func.HttpResponse:
    """Take one update back."""
    return relay().api.cancel_update(req)


@app.route("health/live", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def live(req: func.HttpRequest) -> func.HttpResponse:
    """The process runs."""
    return relay().api.live(req)


@app.route(
    "{*path}",
    methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"],
    auth_level=func.AuthLevel.ANONYMOUS,
)
def unknown(req: func.HttpRequest) -> func.HttpResponse:
    """Every other path."""
    return relay().api.unknown(req)
