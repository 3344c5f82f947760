"""Outcome notices: their outbox, and how they are sent."""
