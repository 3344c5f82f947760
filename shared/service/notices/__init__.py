"""Sending outcome notices from their outbox."""
