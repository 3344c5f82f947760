"""Trying a webhook source: its description, the messages of a payload, and a signed request."""
