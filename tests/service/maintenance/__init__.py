"""Timers and the poison queue."""
