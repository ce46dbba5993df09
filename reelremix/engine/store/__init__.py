"""Where one machine keeps what it knows: SQLite rows and artifact files.

The only package that writes SQL. Nothing above it builds an artifact path.
"""
