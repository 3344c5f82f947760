"""Erasing a person's data in bounded slices."""
