"""What captions cost a frame at 1080x1920, drawing and blending, for every style and six scripts.

python benchmarks/captions.py [SECONDS]

Processor time of one process; every frame of speech at three words a second is drawn and blended.
"""

from __future__ import annotations

import statistics
import sys
import time
from fractions import Fraction

import numpy as np
from measuring import keep, show

from reelremix.engine.captions.paint import CaptionPainter
from reelremix.engine.captions.patch import blend
from reelremix.engine.captions.preset import preset_names
from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.domain.time import TimeRange, Timestamp
from reelremix.engine.domain.transcript import Word
from reelremix.engine.stages.caption import plan_captions

OUTPUT = OutputFormat(1080, 1920, Fraction(30))
WORD_S = 0.33
BUDGET_MS = 5.0
TEXTS = {
    "Latin": "So I paid 500 dollars for this camera and honestly it changed everything 🔥",
    "Cyrillic": "Я заплатил пятьсот долларов за эту камеру и она изменила всё",
    "Arabic": "دفعت 500 دولار مقابل هذه الكاميرا وقد غيرت كل شيء بالنسبة لي",
    "Hebrew": "שילמתי 500 דולר על המצלמה הזאת והיא שינתה לי את הכול",
    "Devanagari": "मैंने इस कैमरे के लिए पाँच सौ डॉलर दिए और सब कुछ बदल गया",
    "Thai": "ฉัน จ่าย เงิน ห้า ร้อย ดอลลาร์ สำหรับ กล้อง นี้ และ ทุกอย่าง เปลี่ยน ไป",
}


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 12.0
    results = {
        (style, script): _measured(style, text, seconds)
        for style in preset_names()
        for script, text in TEXTS.items()
    }
    rows = [
        (style, script, *(f"{r[k]:.2f}" for k in ("mean_ms", "median_ms", "p95_ms", "worst_ms")))
        for (style, script), r in results.items()
    ]
    show(
        "Captions, milliseconds a frame",
        ["style", "script", "mean", "median", "p95", "worst"],
        rows,
    )
    richest = max(results.values(), key=lambda r: r["mean_ms"])
    slowest = max(r["p95_ms"] for r in results.values())
    print(f"\nrichest: mean {richest['mean_ms']:.2f} ms, largest p95 {slowest:.2f} ms"
          f" (budget {BUDGET_MS:.0f} ms)")  # fmt: skip
    keep("captions", {
        "budget_ms": BUDGET_MS,
        "largest_mean_ms": richest["mean_ms"],
        "largest_p95_ms": slowest,
        "styles": {f"{style}/{script}": r for (style, script), r in results.items()},
    })  # fmt: skip


def _measured(style: str, text: str, seconds: float) -> dict[str, float]:
    words = _spoken(text, seconds)
    captions = plan_captions(words, (TimeRange.from_seconds(0, seconds),), OUTPUT, style)
    painter = CaptionPainter(captions, words, OUTPUT)
    painter.patch_at(words[0].range.start)  # fonts are opened once a clip
    planes = (
        np.full((1920, 1080), 90, np.uint8),
        np.full((960, 540), 118, np.uint8),
        np.full((960, 540), 132, np.uint8),
    )
    painter = CaptionPainter(captions, words, OUTPUT)
    times: list[float] = []
    for number in range(int(seconds * OUTPUT.frame_rate)):
        began = time.process_time()
        patch = painter.patch_at(Timestamp.from_seconds(number / OUTPUT.frame_rate))
        if patch is not None:
            blend(*planes, patch)
            times.append((time.process_time() - began) * 1000)
    return {
        "mean_ms": round(statistics.mean(times), 3),
        "median_ms": round(statistics.median(times), 3),
        "p95_ms": round(float(np.percentile(times, 95)), 3),
        "worst_ms": round(max(times), 3),
    }


def _spoken(text: str, seconds: float) -> tuple[Word, ...]:
    parts = text.split()
    return tuple(
        Word(parts[i % len(parts)], TimeRange.from_seconds(i * WORD_S, (i + 0.9) * WORD_S))
        for i in range(int(seconds / WORD_S))
    )


if __name__ == "__main__":
    main()
