"""Queues and timers. Their storage is the setting ``ANSWERS_STORAGE``, a connection string."""

import os
import threading

import azure.functions as func
from records import pause, record, record_message

triggers = func.Blueprint()
STORAGE = "ANSWERS_STORAGE"
_lock = threading.Lock()
_running = 0


@triggers.queue_trigger(arg_name="message", queue_name="ha-record", connection=STORAGE)
def q_record(message: func.QueueMessage, context: func.Context) -> None:
    record_message("seen", "ha-record", message, trace=context.trace_context.trace_parent)


@triggers.queue_trigger(arg_name="message", queue_name="ha-binary", connection=STORAGE, data_type=func.DataType.BINARY)
def q_binary(message: func.QueueMessage) -> None:
    record_message("seen", "ha-binary", message)


@triggers.queue_trigger(arg_name="message", queue_name="ha-fail", connection=STORAGE)
def q_fail(message: func.QueueMessage) -> None:
    record_message("seen", "ha-fail", message)
    raise ValueError("asked to fail")


@triggers.queue_trigger(arg_name="message", queue_name="ha-sleep", connection=STORAGE)
def q_sleep(message: func.QueueMessage) -> None:
    """The text is a number of seconds."""
    global _running  # noqa: PLW0603 - a count of this process
    with _lock:
        _running += 1
        record_message("seen", "ha-sleep", message, running=_running)
    pause(float(message.get_body()))
    with _lock:
        _running -= 1
        record_message("end", "ha-sleep", message)


@triggers.queue_trigger(arg_name="message", queue_name="ha-own-poison", connection=STORAGE)
def q_poison(message: func.QueueMessage) -> None:
    """On a queue whose name ends like a poison queue's: fails where the text asks for it."""
    record_message("seen", "ha-own-poison", message)
    if b"always" in message.get_body():
        raise ValueError("asked to fail")


@triggers.queue_trigger(arg_name="message", queue_name="ha-elsewhere", connection="ANSWERS_NO_STORAGE")
def q_elsewhere(message: func.QueueMessage) -> None:
    """Its connection is missing: this function alone is switched off."""


def tick(name: str, timer: func.TimerRequest) -> None:
    record(event="run", timer=name, past_due=timer.past_due, status=timer.schedule_status)


@triggers.timer_trigger(arg_name="timer", schedule="0 0 3 * * *", run_on_startup=True)
def t_startup(timer: func.TimerRequest) -> None:
    tick("t_startup", timer)


@triggers.timer_trigger(arg_name="timer", schedule="0 0 3 * * *")
def t_nightly(timer: func.TimerRequest) -> None:
    tick("t_nightly", timer)


@triggers.timer_trigger(arg_name="timer", schedule="every now and then")
def t_none(timer: func.TimerRequest) -> None:
    """Its schedule is none: this function alone is switched off."""


if os.environ.get("ANSWERS_SLOW_TIMER"):

    @triggers.timer_trigger(arg_name="timer", schedule="*/2 * * * * *")
    def t_slow(timer: func.TimerRequest) -> None:
        """Longer than its schedule's step, and then it fails."""
        tick("t_slow", timer)
        pause(2.2)
        record(event="end", timer="t_slow")
        raise ValueError("asked to fail")
