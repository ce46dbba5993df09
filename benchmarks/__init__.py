"""Measurements of speed and quality, apart from tests. Each script prints a table."""
