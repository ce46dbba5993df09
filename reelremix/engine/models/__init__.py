"""Adapters around models, one a file, behind protocols; and the registry of weights."""
