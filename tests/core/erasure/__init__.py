"""Tests of shared/core/erasure."""
