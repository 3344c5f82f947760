"""Tests of shared/core/intake."""
