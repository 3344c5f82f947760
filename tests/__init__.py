"""The relay's tests."""
