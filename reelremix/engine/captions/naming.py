"""How presets are named: by a word, or by the path of their file.

Apart from what reads them, which loads fonts: the daemon and the command line only ask which it is.
"""

from __future__ import annotations


def is_path(name_or_path: str) -> bool:
    """Whether a preset is given by its file's path instead of its name."""
    return name_or_path.endswith(".toml") or "/" in name_or_path or "\\" in name_or_path
