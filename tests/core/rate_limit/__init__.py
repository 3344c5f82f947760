"""The shared row."""
