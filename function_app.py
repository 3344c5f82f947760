"""The table of contents: every trigger of the app and the one call that answers it."""

import azure.functions as func

from shared.settings.storage import STORAGE
from shared.wiring.services import Services, load_settings

settings = load_settings()
relay = Services(settings)
app = func.FunctionApp(http_auth_level=settings.http_auth_level)

# Queues

#: Where a binding is not binary, members of a JSON message overwrite its metadata (docs/graph-facts.md#f90).
BINARY = func.DataType.BINARY


@app.queue_trigger(arg_name="message", queue_name=settings.queue, connection=STORAGE, data_type=BINARY)
def deliver(message: func.QueueMessage, context: func.Context) -> None:
    """Give an update its turn."""
    relay.deliver_message(message, invocation=context.trace_context.trace_parent)


@app.queue_trigger(arg_name="message", queue_name=settings.bulk_queue, connection=STORAGE, data_type=BINARY)
def deliver_bulk(message: func.QueueMessage, context: func.Context) -> None:
    """Give an update of the bulk lane its turn."""
    relay.deliver_bulk_message(message, invocation=context.trace_context.trace_parent)


@app.queue_trigger(arg_name="message", queue_name=settings.poison_queue, connection=STORAGE, data_type=BINARY)
def poison(message: func.QueueMessage) -> None:
    """Take a message that the host gave up."""
    relay.poison_message(message)


@app.queue_trigger(arg_name="message", queue_name=settings.bulk_poison_queue, connection=STORAGE, data_type=BINARY)
def poison_bulk(message: func.QueueMessage) -> None:
    """Take a message of the bulk lane that the host gave up."""
    relay.poison_bulk_message(message)


@app.queue_trigger(arg_name="message", queue_name=settings.notices_queue, connection=STORAGE, data_type=BINARY)
async def notices(message: func.QueueMessage) -> None:
    """Send an outcome notice."""
    await relay.notice_message(message)


@app.queue_trigger(arg_name="message", queue_name=settings.notices_poison_queue, connection=STORAGE, data_type=BINARY)
async def notices_poison(message: func.QueueMessage) -> None:
    """Take an outcome notice that the host gave up."""
    await relay.notice_message.poisoned(message)


# Timers


@app.timer_trigger(arg_name="timer", schedule="30 * * * * *")
def reconcile(timer: func.TimerRequest) -> None:
    """Put overdue updates back on the queue."""
    relay.reconcile()


@app.timer_trigger(arg_name="timer", schedule="0 10 3 * * *")
def reconcile_everything(timer: func.TimerRequest) -> None:
    """Put overdue updates of the whole retention back on the queue."""
    relay.reconcile(everything=True)


@app.timer_trigger(arg_name="timer", schedule="45 * * * * *")
def verify(timer: func.TimerRequest) -> None:
    """Verify what was delivered a while ago."""
    relay.verify()


@app.timer_trigger(arg_name="timer", schedule="0 20 3 * * *")
def verify_everything(timer: func.TimerRequest) -> None:
    """Verify what was delivered long after its acceptance."""
    relay.verify(everything=True)


@app.timer_trigger(arg_name="timer", schedule="5 * * * * *")
def put_due_notices(timer: func.TimerRequest) -> None:
    """Put outcome notices into their outbox that a crash has kept from it."""
    relay.outbox.sweep()


@app.timer_trigger(arg_name="timer", schedule="0 30 3 * * *")
def put_all_due_notices(timer: func.TimerRequest) -> None:
    """Put those of the whole retention into their outbox."""
    relay.outbox.sweep(everything=True)


@app.timer_trigger(arg_name="timer", schedule="15 * * * * *")
def publish_gauges(timer: func.TimerRequest) -> None:
    """Publish the queue's length and age, and the share of the quota in use."""
    relay.publish_gauges()


@app.timer_trigger(arg_name="timer", schedule="0 40 * * * *")
def purge(timer: func.TimerRequest) -> None:
    """Delete what is older than the retention."""
    relay.purge()


@app.timer_trigger(arg_name="timer", schedule="15 * * * * *")
def erase(timer: func.TimerRequest) -> None:
    """Continue erasures."""
    relay.erase()


@app.timer_trigger(arg_name="timer", schedule="45 * * * * *")
def release_held(timer: func.TimerRequest) -> None:
    """Put back what ended pauses held."""
    relay.manage_pauses()


# Updates


@app.route("updates", methods=["POST"])
async def post_update(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Accept one update."""
    return await relay.updates.post_update(req, invocation=context.trace_context.trace_parent)


@app.route("updates", methods=["GET", "HEAD"])
def list_updates(req: func.HttpRequest) -> func.HttpResponse:
    """List updates, newest first."""
    return relay.updates.list_updates(req)


@app.route("updates/batch", methods=["POST"])
def post_batch(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Accept many updates."""
    return relay.batch.post_batch(req, invocation=context.trace_context.trace_parent)


@app.route("updates/validate", methods=["POST"])
async def post_validation(req: func.HttpRequest) -> func.HttpResponse:
    """Check one update without accepting it."""
    return await relay.validation.post_validation(req)


@app.route("updates/replay", methods=["POST"])
def replay_updates(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Replay failed and canceled updates by filter."""
    return relay.updates.replay_updates(req, invocation=context.trace_context.trace_parent)


@app.route("updates/{id}", methods=["GET", "HEAD"])
async def get_update(req: func.HttpRequest) -> func.HttpResponse:
    """Return one update."""
    return await relay.updates.get_update(req)


@app.route("updates/{id}/cancel", methods=["POST"])
def cancel_update(req: func.HttpRequest) -> func.HttpResponse:
    """Cancel one update."""
    return relay.updates.cancel_update(req)


@app.route("updates/{id}/replay", methods=["POST"])
def replay_update(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Replay one update."""
    return relay.updates.replay_update(req, invocation=context.trace_context.trace_parent)


@app.route("webhooks/{source}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def post_webhook(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Accept another system's signed request."""
    return relay.webhooks.post_webhook(req, invocation=context.trace_context.trace_parent)


@app.route("webhooks/{source}", methods=["GET", "HEAD"], auth_level=func.AuthLevel.ANONYMOUS)
def get_webhook(req: func.HttpRequest) -> func.HttpResponse:
    """Answer the question of a sender whether this is the receiver's address."""
    return relay.webhooks.get_webhook(req)


@app.route("webhooks/{source}", methods=["OPTIONS"], auth_level=func.AuthLevel.ANONYMOUS)
def allow_webhook(req: func.HttpRequest) -> func.HttpResponse:
    """Answer the CloudEvents handshake."""
    return relay.webhooks.allow_webhook(req)


# User statuses and erasures


@app.route(
    "deviceCompliancePolicies/{deviceCompliancePolicyId}/userStatuses/{deviceComplianceUserStatusId}",
    methods=["GET", "HEAD"],
)
def get_user_status(req: func.HttpRequest) -> func.HttpResponse:
    """Return the confirmed and the waiting values of one user status."""
    return relay.user_statuses.get_user_status(req)


@app.route("erasures", methods=["POST"])
def post_erasure(req: func.HttpRequest) -> func.HttpResponse:
    """Start to erase a person's data."""
    return relay.erasures.post_erasure(req)


@app.route("erasures/{id}", methods=["GET", "HEAD"])
def get_erasure(req: func.HttpRequest) -> func.HttpResponse:
    """Return one erasure."""
    return relay.erasures.get_erasure(req)


# Pauses


@app.route("pauses", methods=["POST"])
def post_pause(req: func.HttpRequest) -> func.HttpResponse:
    """Begin a pause."""
    return relay.pauses.post_pause(req)


@app.route("pauses", methods=["GET", "HEAD"])
def list_pauses(req: func.HttpRequest) -> func.HttpResponse:
    """List the pauses that hold updates."""
    return relay.pauses.list_pauses(req)


@app.route("pauses/{id}", methods=["GET", "HEAD"])
def get_pause(req: func.HttpRequest) -> func.HttpResponse:
    """Return one pause."""
    return relay.pauses.get_pause(req)


@app.route("pauses/{id}", methods=["DELETE"])
def end_pause(req: func.HttpRequest) -> func.HttpResponse:
    """End a pause."""
    return relay.pauses.end_pause(req)


@app.route("pauses/{id}/cancelUpdates", methods=["POST"])
def cancel_paused_updates(req: func.HttpRequest) -> func.HttpResponse:
    """Cancel all that a pause holds, then end it."""
    return relay.pauses.cancel_paused_updates(req)


# Operations


@app.route("stats", methods=["GET", "HEAD"])
def get_stats(req: func.HttpRequest) -> func.HttpResponse:
    """Return the statistics of the last 24 hours."""
    return relay.stats.get_stats(req)


@app.route("audit", methods=["GET", "HEAD"])
def list_audit(req: func.HttpRequest) -> func.HttpResponse:
    """List what was done to the relay, newest first."""
    return relay.audit_records.list_audit(req)


@app.route("doctor", methods=["GET", "HEAD"])
async def get_doctor(req: func.HttpRequest) -> func.HttpResponse:
    """Check everything that the relay needs, with the next step for each fault."""
    return await relay.doctor.get_doctor(req)


@app.route("health/live", methods=["GET", "HEAD"], auth_level=func.AuthLevel.ANONYMOUS)
async def live(req: func.HttpRequest) -> func.HttpResponse:
    """Answer that the process runs."""
    return await relay.health.live(req)


@app.route("health/ready", methods=["GET", "HEAD"], auth_level=func.AuthLevel.ANONYMOUS)
async def ready(req: func.HttpRequest) -> func.HttpResponse:
    """Answer whether the relay can do its work."""
    return await relay.health.ready(req)


@app.route("openapi.json", methods=["GET", "HEAD"], auth_level=func.AuthLevel.ANONYMOUS)
def get_openapi(req: func.HttpRequest) -> func.HttpResponse:
    """Return the OpenAPI document."""
    return relay.openapi.get_openapi(req)


@app.route("session", methods=["GET", "HEAD"], auth_level=func.AuthLevel.ANONYMOUS)
def get_session(req: func.HttpRequest) -> func.HttpResponse:
    """Return how to sign in, and who has."""
    return relay.session.get_session(req)


@app.route("dashboard", methods=["GET", "HEAD"], auth_level=func.AuthLevel.ANONYMOUS)
def get_dashboard(req: func.HttpRequest) -> func.HttpResponse:
    """Return the dashboard's page."""
    return relay.dashboard.get_dashboard(req)


@app.route("dashboard/{file}", methods=["GET", "HEAD"], auth_level=func.AuthLevel.ANONYMOUS)
def get_dashboard_file(req: func.HttpRequest) -> func.HttpResponse:
    """Return one file of the dashboard."""
    return relay.dashboard.get_dashboard_file(req)


@app.route(
    "{*path}",
    methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"],
    auth_level=func.AuthLevel.ANONYMOUS,
)
def unknown(req: func.HttpRequest) -> func.HttpResponse:
    """Answer every other path; the host takes routes in the order of function names, so this name must sort last."""
    return relay.openapi.unknown(req)
