"""Erasing a person's data: whose it is, how far an erasure has come, and what stays."""
