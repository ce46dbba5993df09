"""Runs the peer, shorts-factory, in its own virtual environment: one line of JSON on stdout.

    python shorts_factory_run.py SOURCE MODEL_FOLDER FRESH_OUT_DIR FRAME_RATE

The peer always writes 30 fps; FRAME_RATE replaces that, so that both sides encode equal frames.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    source, model, out, rate = sys.argv[1:]
    from shorts_factory import reframer
    from shorts_factory.pipeline import PipelineConfig, run_pipeline

    original = reframer.run

    def at_source_rate(command: list[Any], **options: Any) -> Any:
        command = list(command)
        if "-r" in command:
            command[command.index("-r") + 1] = rate
        return original(command, **options)

    reframer.run = at_source_rate
    began = time.perf_counter()
    result = run_pipeline(
        source, Path(out), PipelineConfig(model_size=model, top_n=5, use_llm=False)
    )
    wall_s = time.perf_counter() - began
    print(
        json.dumps(
            {
                "wall_s": wall_s,
                "ranges": [[clip.start, clip.end] for clip in result.clips],
                "crops": [clip.crop for clip in result.clips],
                "bytes": [Path(clip.video_path).stat().st_size for clip in result.clips],
            }
        )
    )


if __name__ == "__main__":
    main()
