"""Measures calls."""
