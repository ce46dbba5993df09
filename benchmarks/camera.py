"""How a camera follows: our line against a critically damped spring and an L1-optimal path.

python benchmarks/camera.py

Faces walk through made-up minutes: they sway, pace, cross the picture, sit down elsewhere. Lower is
better but for the share of time that the camera stands.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from measuring import keep, show
from scipy.optimize import linprog
from scipy.sparse import diags, eye, hstack, vstack

from reelremix.engine.stages.camera import CAMERA_RATE_HZ, DEAD_ZONE, followed, with_backlash

Line = npt.NDArray[np.float64]
CROP_PX = 405.0
FACE_PX = 150.0
SECONDS = 60
WALKS = 40
SPRING_S = 0.5
"""Time constant of the spring."""
L1_WEIGHTS = (10.0, 1.0, 100.0)
"""Of the first, second and third difference, as in Grundmann et al., "Auto-directed video
stabilization with robust L1 optimal camera paths", 2011."""


def main() -> None:
    walks = [_walk(np.random.default_rng(seed)) for seed in range(WALKS)]
    ways: dict[str, Callable[[Line, float], Line]] = {
        "dead zone, Gaussian (ours)": followed,
        "dead zone, spring": _spring,
        "L1-optimal path": _l1_path,
    }
    rows = [(name, *_figures(way, walks)) for name, way in ways.items()]
    show("Cameras", ["way", *MEASURES], rows)
    keep("camera", {name: dict(zip(MEASURES, figures, strict=True)) for name, *figures in rows})


MEASURES = ("face cut off %", "turns a minute", "jerk px/s3", "stands %", "ms a minute")


def _figures(way: Callable[[Line, float], Line], walks: list[Line]) -> tuple[float, ...]:
    began = time.perf_counter()
    lines = [way(walk, DEAD_ZONE * CROP_PX) for walk in walks]
    took = (time.perf_counter() - began) / len(walks) * 1000
    room = (CROP_PX - FACE_PX) / 2
    off = np.mean([np.abs(a - b) > room for a, b in zip(lines, walks, strict=True)])
    steps = [np.diff(line) for line in lines]
    turns = [_turns(step) for step in steps]
    jerk = np.mean([np.abs(np.diff(line, 3)).mean() for line in lines]) * CAMERA_RATE_HZ**3
    stands = np.mean([np.abs(step) < 0.4 for step in steps])
    figures = (100 * off, np.mean(turns), jerk, 100 * stands, took)
    return tuple(round(float(value), 2) for value in figures)


def _turns(step: Line) -> int:
    moving = step[np.abs(step) > 0.4]
    return int(np.count_nonzero(np.diff(np.sign(moving))))


def _walk(random: np.random.Generator) -> Line:
    """Where a face is, in pixels, `CAMERA_RATE_HZ` times a second, with a detector's noise."""
    t = np.arange(SECONDS * CAMERA_RATE_HZ) / CAMERA_RATE_HZ
    x = 640 + random.uniform(10, 40) * np.sin(2 * np.pi * t / random.uniform(2, 6))
    for _ in range(random.integers(1, 5)):
        at, length = random.uniform(5, 50), random.uniform(0.8, 6)
        x += random.uniform(-300, 300) * np.clip((t - at) / length, 0, 1)
    return x + random.normal(0, 4, len(t))


def _spring(values: Line, slack: float) -> Line:
    """x'' = w2 (target - x) - 2 w x', in steps of a hundredth of a second."""
    omega, step = 1 / SPRING_S, 0.01
    target = with_backlash(values, slack)
    x, speed, line = float(target[0]), 0.0, np.empty_like(target)
    for index, wanted in enumerate(target):
        for _ in range(round(1 / CAMERA_RATE_HZ / step)):
            speed += (omega**2 * (wanted - x) - 2 * omega * speed) * step
            x += speed * step
        line[index] = x
    return line


def _l1_path(values: Line, slack: float) -> Line:
    """Least weighted sum of absolute differences, within the slack of every value."""
    count = len(values)
    blocks, costs = [], []
    for order, weight in enumerate(L1_WEIGHTS, start=1):
        difference = eye(count, format="csr")
        for n in range(order):
            size = count - n
            difference = diags([-1.0, 1.0], [0, 1], shape=(size - 1, size)) @ difference
        blocks.append(difference)
        costs.append(np.full(count - order, weight))
    rows = vstack(blocks)
    slackness = eye(rows.shape[0])
    upper = vstack([hstack([rows, -slackness]), hstack([-rows, -slackness])])
    cost = np.concatenate([np.zeros(count), *costs])
    bounds = [(v - slack, v + slack) for v in values] + [(0, None)] * rows.shape[0]
    solved = linprog(cost, A_ub=upper, b_ub=np.zeros(upper.shape[0]), bounds=bounds)
    line: Line = solved.x[:count]
    return line


if __name__ == "__main__":
    main()
