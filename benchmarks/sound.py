"""What `--denoise` and `--voice-level` do to sound whose truth is known.

    python benchmarks/sound.py

Clean read speech with white and pink noise added at known ratios, and two voices 12 dB apart. Every
figure is of the samples that a film would get.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from measuring import SHARED, keep, needs, show

from reelremix.engine.domain.time import ZERO, TimeRange
from reelremix.engine.media.audio import PROGRAMME, LoudnessMeter, Samples, read_pcm
from reelremix.engine.media.noise import LATENCY, against, noise_of
from reelremix.engine.media.probe import choose_streams, probe
from reelremix.engine.media.sound_chain import LEVELLING, filtered

SPEECH = SHARED / "speech" / "ljspeech"
OTHER = SHARED / "speech" / "jfk.flac"
RATIOS_DB = (5, 10, 20)
APART_DB = 12.0
TURN_S = 8


def main() -> None:
    clean = np.concatenate([read(SPEECH / f"LJ001-{n:04d}.flac") for n in (1, 3, 5, 7)], axis=1)
    rows = [("none", "-", round(ratio_db(clean, denoised(clean)), 1), "-")]
    colours: dict[str, Callable[[int], Samples]] = {"white": white, "pink": pink}
    for colour, make in colours.items():
        for ratio in RATIOS_DB:
            noise = make(clean.shape[1]) * 10 ** ((power_db(clean) - ratio) / 20)
            noisy = (clean + noise).astype(np.float32)
            heard = denoised(noisy)
            gain = ratio_db(clean, heard) - ratio_db(clean, noisy)
            quieter = floor_db(noisy) - floor_db(heard)
            rows.append((colour, str(ratio), round(gain, 1), str(round(quieter, 1))))
    show("Denoising", ["noise", "before, dB", "after or gained, dB", "pauses quieter, dB"], rows)
    before, after = levelled()
    show("Two voices", ["", "spread of loudness, LU"], [("before", before), ("after", after)])
    keep("sound", {
        "clean_snr_db": rows[0][2],
        "snr_gain_db": {f"{colour} {ratio}": gain for colour, ratio, gain, _ in rows[1:]},
        "voices_apart_lu": {"before": before, "after": after},
    })  # fmt: skip


def read(path: Path) -> Samples:
    presentation = choose_streams(probe(needs(path), path.name))
    whole = TimeRange(ZERO, presentation.duration)
    return np.concatenate(list(read_pcm(path, presentation, whole, PROGRAMME)), axis=1)


def in_blocks(sound: Samples) -> Iterator[Samples]:
    return (sound[:, at : at + 4096] for at in range(0, sound.shape[1], 4096))


def denoised(sound: Samples) -> Samples:
    noise = noise_of(in_blocks(sound))
    assert noise is not None
    return np.concatenate(list(filtered(in_blocks(sound), against(noise), LATENCY)), axis=1)


def white(count: int) -> Samples:
    return np.random.default_rng(1).normal(size=(2, count))


def pink(count: int) -> Samples:
    """Noise whose power falls by 3 dB an octave."""
    shape = np.fft.rfft(np.random.default_rng(2).normal(size=(2, count)))
    shape[:, 1:] /= np.sqrt(np.arange(1, shape.shape[1]))
    shape[:, 0] = 0
    made = np.fft.irfft(shape, count)
    return np.asarray(made / made.std())


def power_db(sound: Samples) -> float:
    return float(10 * np.log10(np.square(sound).mean() + 1e-12))


def ratio_db(wanted: Samples, heard: Samples) -> float:
    """Signal to noise, whatever the gain."""
    scale = float((wanted * heard).sum() / np.square(wanted).sum())
    return power_db(scale * wanted) - power_db(heard - scale * wanted)


def floor_db(sound: Samples) -> float:
    """How loud the quietest twentieth is."""
    step = PROGRAMME.rate_hz // 100
    mono = sound[0, : sound.shape[1] // step * step].reshape(-1, step)
    return float(np.percentile(10 * np.log10(np.square(mono).mean(axis=1) + 1e-12), 5))


def levelled() -> tuple[float, float]:
    """How far apart turns of two voices are before and after levelling."""
    length = TURN_S * PROGRAMME.rate_hz
    loud, quiet = read(SPEECH / "LJ001-0001.flac"), read(OTHER)
    turns = []
    for number, voice in enumerate((loud, quiet, read(SPEECH / "LJ001-0005.flac"), quiet)):
        turn = voice[:, :length]
        wanted = -20.0 - (APART_DB if number % 2 else 0.0)
        turns.append(turn * 10 ** ((wanted - lufs(turn)) / 20))
    sound = np.concatenate(turns, axis=1).astype(np.float32)
    heard = np.concatenate(list(filtered(in_blocks(sound), LEVELLING)), axis=1)
    ends = np.cumsum([0, *(turn.shape[1] for turn in turns)])
    return spread(sound, ends), spread(heard, ends)


def spread(sound: Samples, ends: Samples) -> float:
    found = [lufs(sound[:, a:b]) for a, b in pairwise(ends)]
    return round(max(found) - min(found), 1)


def lufs(sound: Samples) -> float:
    meter = LoudnessMeter()
    meter.add(sound.astype(np.float32))
    loudness = meter.result().integrated_lufs
    assert loudness is not None
    return loudness


if __name__ == "__main__":
    main()
