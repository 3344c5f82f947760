"""Accepting updates, once each, and replaying them."""
