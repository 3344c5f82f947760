"""Tests of shared/core/basics."""
