"""The floors speed is measured against; each prints one line of JSON.

python benchmarks/floors.py transcribe MODEL_FOLDER RECORDING
    bare faster-whisper, batched, the same settings: loading, decoding and transcribing
python benchmarks/floors.py encode MANIFEST RECORDING PROCESSES
    the encoder alone, fed with the frames that a render of the manifest's clips draws
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

CHUNK = 60
"""Frames drawn, untimed, before they are encoded, timed."""


def main() -> None:
    kind, *arguments = sys.argv[1:]
    result = {"transcribe": transcribe, "encode": encode}[kind](*arguments)
    print(json.dumps(result))


def transcribe(model: str, recording: str) -> dict[str, Any]:
    began = time.perf_counter()
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    pipeline = BatchedInferencePipeline(
        WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=2)
    )
    segments, _ = pipeline.transcribe(
        recording, word_timestamps=True, batch_size=8, language_detection_segments=4
    )
    words = sum(len(segment.words or ()) for segment in segments)
    return {"wall_s": time.perf_counter() - began, "words": words}


def encode(manifest: str, recording: str, processes: str) -> dict[str, Any]:
    """Processes take turns drawing and encoding in step, so that only encoding is timed."""
    count = int(processes)
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(count), context.Queue()
    children = [
        context.Process(target=_encode, args=(manifest, recording, n, count, barrier, queue))
        for n in range(count)
    ]
    for child in children:
        child.start()
    parts = [queue.get() for _ in children]
    for child in children:
        child.join()
    frames = sum(part["frames"] for part in parts)
    encoding_s = max(part["encoding_s"] for part in parts)
    return {"frames": frames, "encoding_s": encoding_s, "fps": frames / encoding_s}


def _encode(
    manifest: str, recording: str, number: int, count: int, barrier: Barrier, queue: Any
) -> None:
    from reelremix.engine.domain.source import Presentation
    from reelremix.engine.export.clip_reading import clips_from_dict
    from reelremix.engine.export.manifest import read_manifest
    from reelremix.engine.media.encode import ClipWriter, EncoderSettings
    from reelremix.engine.media.probe import choose_streams, probe

    path = Path(recording)
    presentation: Presentation = choose_streams(probe(path, "floor"))
    clips = clips_from_dict(read_manifest(Path(manifest)), Path(manifest))
    threads = 2 if count == 1 else 1
    target = Path(manifest).with_name(f"floor-{number}.mp4")
    frames, encoding_s = 0, 0.0
    share = [clip for i, clip in enumerate(clips) if i % count == number]
    rounds = max(
        sum(-(-_frames(c) // CHUNK) for i, c in enumerate(clips) if i % count == n)
        for n in range(count)
    )
    chunks = _chunks(path, presentation, share)
    writer = ClipWriter(target, clips[0].output, EncoderSettings(threads=threads), has_audio=False)
    for _ in range(rounds):
        chunk = next(chunks, [])
        barrier.wait()
        began = time.perf_counter()
        for frame in chunk:
            writer.write_picture(frame)
        frames += len(chunk)
        barrier.wait()
        encoding_s += time.perf_counter() - began
    began = time.perf_counter()
    writer.close()
    encoding_s += time.perf_counter() - began
    target.unlink()
    queue.put({"frames": frames, "encoding_s": encoding_s})


def _frames(clip: Any) -> int:
    return clip.film.total


def _chunks(path: Path, presentation: Any, clips: list[Any]) -> Any:
    """The drawn frames of the clips, captions included, a chunk at a time."""
    from reelremix.engine.captions.paint import CaptionPainter
    from reelremix.engine.captions.patch import blend
    from reelremix.engine.media.compose import Composer
    from reelremix.engine.media.decode import planes
    from reelremix.engine.media.encode import EncoderSettings
    from reelremix.engine.stages.render import Pieces, RenderTask, shown_pictures

    for clip in clips:
        task = RenderTask(str(path), presentation, clip, EncoderSettings(), "", "")
        composer, pieces = Composer(clip.output), Pieces(clip.layout.pieces)
        painter = CaptionPainter(clip.captions, clip.words, clip.output) if clip.captions else None
        chunk = []
        for picture, moment in shown_pictures(task):
            frame = composer.draw(pieces.at(picture.at), picture.frame, picture.at)
            if painter is not None and (patch := painter.patch_at(moment)) is not None:
                blend(*planes(frame), patch)
            chunk.append(frame)
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk


if __name__ == "__main__":
    main()
