"""Makes the sample recording: two invented people talk for under three minutes.

    python demo/make_sample.py OUT.mp4

Beside the video lies OUT.truth.json: the transcript with the time of every word, who speaks when,
where the cuts and faces are, and which moments are strong or weak. The same script and seed give
the same recording; where it already lies there, nothing is done.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import queue
import sys
import threading
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.video.reformatter import VideoReformatter
from sample_motion import Motion
from sample_sets import HEIGHT_PX, WIDTH_PX, Pixels, Stage, kind_of, seats
from sample_talk import (
    FRAMES_PER_S,
    RATE_HZ,
    Moment,
    Script,
    Sentence,
    Shot,
    Talk,
    mixed,
    read_script,
    speak,
)
from sample_voices import Sound

HERE = Path(__file__).parent
PEOPLE = ("nora", "ben")
TOWARDS = {"nora": 1.0, "ben": -1.0}
"""The side of the frame the other one sits on."""
AHEAD = 6
"""Frames that may wait for the encoder."""
BUFFERS = AHEAD + 2
"""One is being drawn, one encoded. Kept, because new memory costs more than the drawing."""


def main() -> None:
    """Make the sample unless it is there."""
    parser = argparse.ArgumentParser(description="Makes the sample recording of the demo.")
    parser.add_argument("out", type=Path, help="the video to write")
    parser.add_argument("--seed", type=int, help="another take of the same script")
    arguments = parser.parse_args()
    made = make(arguments.out, arguments.seed)
    sys.stderr.write(f"{arguments.out} {'written' if made else 'is there already'}\n")


def make(out: Path, seed: int | None = None) -> bool:
    """Write the video and its truth; returns whether there was anything to do."""
    script = read_script(HERE / "script.toml")
    seed = script.seed if seed is None else seed
    recipe = _recipe(script, seed)
    truth_file = out.with_suffix(".truth.json")
    if out.is_file() and truth_file.is_file() and _is_from(truth_file, recipe):
        return False
    out.parent.mkdir(parents=True, exist_ok=True)
    talk = speak(script, seed)
    part = out.with_name(f".{out.name}.part")
    _record(part, talk, script, seed)
    part.replace(out)
    plain = {"version": 1, "recipe": recipe, "seed": seed, **truth(talk, script)}
    truth_file.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    return True


def truth(talk: Talk, script: Script) -> dict[str, Any]:
    """What a program that looks and listens well would find."""
    return {
        "duration_s": talk.frames / FRAMES_PER_S,
        "frame_rate": f"{FRAMES_PER_S}/1",
        "width_px": WIDTH_PX,
        "height_px": HEIGHT_PX,
        "transcript": {
            "version": 1,
            "language": "en",
            "segments": [_segment(sentence) for sentence in talk.sentences],
        },
        "cuts_s": [shot.first / FRAMES_PER_S for shot in talk.shots[1:]],
        "shots": [_shot(shot) for shot in talk.shots],
        "speaking": [_turn(sentence, talk.shots) for sentence in talk.sentences],
        "moments": [_moment(moment, talk) for moment in script.moments],
    }


def _record(path: Path, talk: Talk, script: Script, seed: int) -> None:
    """Draw in this thread while another one encodes: the two share the work about evenly."""
    pictures: queue.Queue[Pixels | None] = queue.Queue(AHEAD)
    failures: list[BaseException] = []

    def encode() -> None:
        try:
            _encode(path, _taken(pictures), mixed(talk, seed))
        except BaseException as exc:
            failures.append(exc)
            while pictures.get() is not None:
                pass

    encoder = threading.Thread(target=encode)
    encoder.start()
    try:
        for picture in _pictures(talk, script, seed):
            pictures.put(picture)
    finally:
        pictures.put(None)
        encoder.join()
    if failures:
        raise failures[0]


def _pictures(talk: Talk, script: Script, seed: int) -> Iterator[Pixels]:
    stages = [Stage(script.slides) for _ in range(BUFFERS)]
    others = {"nora": "ben", "ben": "nora"}
    motions = {
        person: Motion(talk.sound[person], talk.sound[others[person]], talk.frames, seed + index)
        for index, person in enumerate(PEOPLE)
    }
    for shot in talk.shots:
        present = {seat.person for seat in seats(shot.shot, shot.speaker)}
        for frame in range(shot.first, shot.end):
            faces = {person: motions[person].at(frame, TOWARDS[person]) for person in present}
            stage = stages[frame % BUFFERS]
            stage.draw(shot.shot, shot.speaker, faces)
            yield stage.pixels


def _taken(pictures: queue.Queue[Pixels | None]) -> Iterator[Pixels]:
    while (picture := pictures.get()) is not None:
        yield picture


def _encode(path: Path, pictures: Iterator[Pixels], sound: Sound) -> None:
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        video: Any = container.add_stream("libx264", rate=FRAMES_PER_S)
        video.width, video.height, video.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        video.options = {"preset": "superfast", "crf": "20", "threads": "2"}
        context = video.codec_context
        context.color_primaries = context.color_trc = context.colorspace = 1
        context.color_range = 1
        speech: Any = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        speech.bit_rate = 128_000
        samples = RATE_HZ // FRAMES_PER_S
        reformatter = VideoReformatter()
        for index, picture in enumerate(pictures):
            frame = reformatter.reformat(
                av.VideoFrame.from_numpy_buffer(picture, format="bgra"),
                format="yuv420p",
                dst_colorspace=1,
            )
            frame.pts, frame.time_base = index, Fraction(1, FRAMES_PER_S)
            container.mux(video.encode(frame))
            piece = sound[index * samples : (index + 1) * samples]
            audio = av.AudioFrame.from_ndarray(piece.reshape(1, -1), format="fltp", layout="mono")
            audio.sample_rate, audio.pts = RATE_HZ, index * samples
            audio.time_base = Fraction(1, RATE_HZ)
            container.mux(speech.encode(audio))
        container.mux(video.encode(None))
        container.mux(speech.encode(None))


def _segment(sentence: Sentence) -> dict[str, Any]:
    words = [
        {
            "text": word.text,
            "start_s": round(word.start_s, 3),
            "end_s": round(word.end_s, 3),
            "speaker": sentence.speaker,
        }
        for word in sentence.words
    ]
    return {
        "start_s": words[0]["start_s"],
        "end_s": words[-1]["end_s"],
        "speaker": sentence.speaker,
        "text": " ".join(word.text for word in sentence.words),
        "words": words,
    }


def _shot(shot: Shot) -> dict[str, Any]:
    """Face boxes are those of heads at rest: left, top, width, height in pixels."""
    return {
        "start_s": shot.first / FRAMES_PER_S,
        "end_s": shot.end / FRAMES_PER_S,
        "kind": kind_of(shot.shot),
        "faces": [
            {"speaker": seat.person, "box": [round(value) for value in seat.face]}
            for seat in seats(shot.shot, shot.speaker)
        ],
    }


def _turn(sentence: Sentence, shots: tuple[Shot, ...]) -> dict[str, Any]:
    middle = (sentence.start_s + sentence.end_s) / 2 * FRAMES_PER_S
    shot = next(shot for shot in shots if shot.first <= middle < shot.end)
    visible = any(seat.person == sentence.speaker for seat in seats(shot.shot, shot.speaker))
    return {
        "start_s": round(sentence.start_s, 3),
        "end_s": round(sentence.end_s, 3),
        "speaker": sentence.speaker,
        "in_picture": visible,
    }


def _moment(moment: Moment, talk: Talk) -> dict[str, Any]:
    said = [sentence for sentence in talk.sentences if sentence.moment == moment.id]
    return {
        "id": moment.id,
        "kind": moment.kind,
        "strength": moment.strength,
        "start_s": round(said[0].start_s, 3),
        "end_s": round(said[-1].end_s, 3),
    }


def _recipe(script: Script, seed: int) -> str:
    """Changes with everything that makes the recording what it is."""
    sources = sorted(HERE.glob("*.py"))
    digest = hashlib.sha256(f"{script.digest} {seed}".encode())
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _is_from(truth_file: Path, recipe: str) -> bool:
    try:
        found: Mapping[str, Any] = json.loads(truth_file.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return found.get("recipe") == recipe


if __name__ == "__main__":
    main()
