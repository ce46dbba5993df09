"""Whole pages, and the small ones that ask for something."""
