"""Whose rows and artifacts they are."""

LOCAL_OWNER = "local"
"""The only one on a machine of one's own."""
