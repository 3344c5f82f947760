"""Tests of the erasure of a person's data."""
