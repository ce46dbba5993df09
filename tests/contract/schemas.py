"""The published schemas, and whether something fits them."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator

from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "docs" / "schemas"
NAMES = (
    "clips", "transcript", "score", "search", "events", "export", "table", "post", "add", "library",
    "jobs", "stats", "watches", "daemon", "webhook",
)  # fmt: skip


def schema(name: str) -> dict[str, Any]:
    """A published schema."""
    content = (FOLDER / f"{name}.v1.schema.json").read_text(encoding="utf-8")
    return dict(json.loads(content))


def faults(name: str, document: Any) -> list[str]:
    """What is wrong with a document, one line a fault."""
    plain = json.loads(json.dumps(document))
    found = Draft202012Validator(schema(name)).iter_errors(plain)
    return [f"{error.json_path}: {error.message}" for error in found]
