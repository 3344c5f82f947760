"""Changing outcomes safely, and counting their changes."""
