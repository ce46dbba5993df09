"""What processes of ours say to each other over pipes: JSON objects, one a line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, TextIO

OWN_GROUP = int(getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0))
"""Windows' way to keep Ctrl-C from a child; elsewhere it gets a session of its own."""


def private_stdout() -> TextIO:
    """What was stdout, for messages alone; what libraries print goes to stderr from here on."""
    sys.stdout.flush()
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    messages.write("\n")  # ends a line that somebody may have begun
    return messages


def message_in(line: str) -> dict[str, Any] | None:
    """What a process says on a line; None for what a library printed there."""
    try:
        content = json.loads(line)
    except ValueError:
        return None
    return content if isinstance(content, dict) and "type" in content else None
