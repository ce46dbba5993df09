"""Speech on an NVIDIA GPU: the same words as on the CPU, how much faster, and the large model.

    python benchmarks/gpu.py RECORDING [--model base] [--repeat 3]

The weights of `large-v3-turbo` need not be there: a model of its shape with random weights costs
the same time and memory a token, and every window gets as many tokens as half a minute of speech.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from ctranslate2.specs import WhisperSpec
from measuring import keep, model_folder, show
from transcription import distance, words

from reelremix.engine.domain.request import TranscribeOptions
from reelremix.engine.models.gpu import CUBLAS_HINT, NvidiaGpu
from reelremix.engine.models.whisper import GPU_MODEL, FasterWhisper

SAMPLES_PER_S = 16_000
LISTENED_S = 600
"""A shorter recording is repeated to this length."""
MELS, WINDOW_FRAMES, VOCABULARY = 128, 3000, 51_866
LAYERS, DECODER_LAYERS, WIDTH, HEADS = 32, 4, 1280, 20
"""The shape of `large-v3-turbo`."""
BATCH, BEAMS, TOKENS = 8, 5, 100
END, START, ENGLISH, TRANSCRIBE, NO_SPEECH, NO_TIMES = (
    50_257,
    50_258,
    50_259,
    50_360,
    50_363,
    50_364,
)
SPECIAL = {
    END: "<|endoftext|>", START: "<|startoftranscript|>", TRANSCRIBE: "<|transcribe|>",
    NO_SPEECH: "<|nospeech|>", NO_TIMES: "<|notimestamps|>",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("recording", type=Path)
    parser.add_argument("--model", default="base")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    gpu = NvidiaGpu()
    if not gpu.count():
        sys.exit("no NVIDIA GPU was found")
    if (missing := gpu.missing_library()) is not None:
        sys.exit(f"{missing} is missing: {CUBLAS_HINT}")
    result = {
        "gpu": _name(),
        "model": options.model,
        "hearing": _hearing(options.recording, options.model, options.repeat),
        GPU_MODEL: _large(options.repeat),
    }
    keep("gpu", result)


def _hearing(recording: Path, model: str, repeat: int) -> dict[str, Any]:
    from faster_whisper.audio import decode_audio

    once = decode_audio(str(recording), sampling_rate=SAMPLES_PER_S)
    speech = np.resize(once, LISTENED_S * SAMPLES_PER_S).astype(np.float32)
    heard: dict[str, list[str]] = {}
    result: dict[str, Any] = {"speech_s": LISTENED_S}
    for device in ("cuda", "cpu"):
        whisper = FasterWhisper(model, Path(model_folder(model)), device)
        with _most_memory() as used:
            load_s, _ = _timed(lambda w=whisper: w._model)
            walls = []
            for _ in range(1 + (repeat if device == "cuda" else 0)):
                wall_s, text = _timed(lambda w=whisper: _text(w, speech))
                walls.append(wall_s)
        heard[device] = words(text)
        result[device] = {
            "load_s": round(load_s, 2),
            "first_s": round(walls[0], 2),
            "median_s": round(statistics.median(walls[1:] or walls), 2),
            "words": len(heard[device]),
        }
        if device == "cuda":
            result[device]["gpu_mb"] = round(used() / 1e6)
    differing = distance(heard["cpu"], heard["cuda"])
    result["differing"] = round(differing / len(heard["cpu"]), 4)
    show(f"{LISTENED_S} s of speech, {model}", ["device", "load", "first", "then", "words"], [
        (d, f"{r['load_s']} s", f"{r['first_s']} s", f"{r['median_s']} s", r["words"])
        for d, r in ((d, result[d]) for d in ("cuda", "cpu"))
    ])  # fmt: skip
    print(f"\nwords that differ between the two: {result['differing']:.2%}")
    return result


def _text(whisper: FasterWhisper, speech: np.typing.NDArray[np.float32]) -> str:
    hearing = whisper.transcribe(speech, "en", TranscribeOptions(), goes_on=False)
    return " ".join(segment.text for segment in hearing.segments)


def _large(repeat: int) -> dict[str, Any]:
    noise = np.random.default_rng(0).standard_normal((BATCH, MELS, WINDOW_FRAMES))
    with tempfile.TemporaryDirectory() as folder, _most_memory() as used:
        _random_weights(Path(folder))
        load_s, model = _timed(
            lambda: ctranslate2.models.Whisper(folder, device="cuda", compute_type="float16")
        )
        features = ctranslate2.StorageView.from_array(noise.astype(np.float32))
        walls: dict[str, list[float]] = {"encode": [], "decode": []}
        for _ in range(1 + repeat):
            wall_s, encoded = _timed(lambda: model.encode(features))
            walls["encode"].append(wall_s)
            wall_s, found = _timed(lambda e=encoded: _decoded(model, e))
            walls["decode"].append(wall_s)
        tokens = sum(len(f.sequences_ids[0]) for f in found)
    stages = {name: statistics.median(times[1:]) for name, times in walls.items()}
    speech_s = BATCH * 30
    faster = speech_s / sum(stages.values())
    show(f"A model of the shape of {GPU_MODEL}, float16", ["", ""], [
        ("load", f"{load_s:.1f} s"),
        *((name, f"{wall_s:.3f} s a batch") for name, wall_s in stages.items()),
        ("tokens a batch", tokens),
        ("faster than speech", f"{faster:.0f} times"),
        ("GPU memory", f"{used() / 1e6:.0f} MB"),
    ])  # fmt: skip
    return {
        "load_s": round(load_s, 2),
        **{f"{name}_s": round(wall_s, 4) for name, wall_s in stages.items()},
        "batch": BATCH,
        "beams": BEAMS,
        "tokens": tokens,
        "times_faster_than_speech": round(faster, 1),
        "gpu_mb": round(used() / 1e6),
    }


def _decoded(model: Any, encoded: Any) -> list[Any]:
    prompts = [[START, ENGLISH, TRANSCRIBE, NO_TIMES]] * BATCH
    found: list[Any] = model.generate(
        encoded, prompts, beam_size=BEAMS, max_length=2 * TOKENS,
        suppress_tokens=[END], suppress_blank=False,
    )  # fmt: skip
    return found


def _random_weights(folder: Path) -> None:
    """A Whisper model of the large one's shape, as CTranslate2 stores it."""
    block = (np.random.default_rng(1).standard_normal(1 << 20) * 0.02).astype(np.float16)

    def some(*shape: int) -> np.typing.NDArray[np.float16]:
        return np.resize(block, shape)

    def linear(spec: Any, out: int, into: int) -> None:
        spec.weight, spec.bias = some(out, into), some(out)

    def norm(spec: Any) -> None:
        spec.gamma, spec.beta = np.ones(WIDTH, np.float16), np.zeros(WIDTH, np.float16)

    def attention(spec: Any, *, is_self: bool) -> None:
        norm(spec.layer_norm)
        outs = (3 * WIDTH, WIDTH) if is_self else (WIDTH, 2 * WIDTH, WIDTH)
        for part, out in zip(spec.linear, outs, strict=True):
            linear(part, out, WIDTH)

    def feed_forward(spec: Any) -> None:
        norm(spec.layer_norm)
        linear(spec.linear_0, 4 * WIDTH, WIDTH)
        linear(spec.linear_1, WIDTH, 4 * WIDTH)

    spec = WhisperSpec(LAYERS, HEADS, DECODER_LAYERS, HEADS)
    encoder, decoder = spec.encoder, spec.decoder
    encoder.conv1.weight, encoder.conv1.bias = some(WIDTH, MELS, 3), some(WIDTH)
    encoder.conv2.weight, encoder.conv2.bias = some(WIDTH, WIDTH, 3), some(WIDTH)
    encoder.position_encodings.encodings = some(WINDOW_FRAMES // 2, WIDTH)
    decoder.position_encodings.encodings = some(448, WIDTH)
    decoder.embeddings.weight = some(VOCABULARY, WIDTH)
    decoder.projection.weight = decoder.embeddings.weight
    for part in (encoder, decoder):
        norm(part.layer_norm)
        for layer in part.layer:
            attention(layer.self_attention, is_self=True)
            feed_forward(layer.ffn)
    for layer in decoder.layer:
        attention(layer.attention, is_self=False)
    spec.register_vocabulary([SPECIAL.get(n, f"<|{n}|>") for n in range(VOCABULARY)])
    spec.config.suppress_ids = spec.config.suppress_ids_begin = []
    spec.config.lang_ids, spec.config.alignment_heads = [ENGLISH], [(DECODER_LAYERS - 1, 0)]
    spec.validate()
    spec.save(str(folder))


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


@contextmanager
def _most_memory() -> Iterator[Callable[[], int]]:
    """Bytes of the GPU in use beyond those at the start, at most, seen every 20 ms."""
    import pynvml

    pynvml.nvmlInit()
    handle = pynvml.nvmlDeviceGetHandleByIndex(0)
    before = most = int(pynvml.nvmlDeviceGetMemoryInfo(handle).used)
    done = threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.02):
            most = max(most, int(pynvml.nvmlDeviceGetMemoryInfo(handle).used))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield lambda: most - before
    finally:
        done.set()
        thread.join()


def _name() -> str:
    import pynvml

    pynvml.nvmlInit()
    return str(pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(0)))


if __name__ == "__main__":
    main()
