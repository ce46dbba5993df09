"""Writing MP4 files: H.264 and AAC, moov first, bt709 tags, no metadata of the source."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from reelremix.engine.domain.clip import OutputFormat
from reelremix.engine.media.audio import PROGRAMME, Samples, audio_frame
from reelremix.engine.media.hardware import HARDWARE, SOFTWARE, pixel_format
from reelremix.errors import ConfigError, RenderError

AUDIO_BIT_RATE = 192_000
AUDIO_OPTIONS = {"aac_coder": "fast"}
"""FFmpeg's documentation: better and much faster than `twoloop` at bit rates like ours."""
KEYFRAME_INTERVAL_S = 2
X264_PRESETS = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow",
    "placebo",
)  # fmt: skip
UNWRITABLE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EROFS, errno.ENOSPC})
"""Faults of the folder or the disk, not of the encoder."""


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """How pictures are compressed."""

    encoder: str = SOFTWARE
    preset: str = "veryfast"
    crf: int = 20
    threads: int = 0
    """Encoder threads, 0 for the encoder's own choice."""

    def options(self) -> dict[str, str]:
        """The encoder's private options for constant quality."""
        if self.encoder == "h264_nvenc":
            return {"preset": "p4", "rc": "vbr", "cq": str(self.crf), "b": "0"}
        if self.encoder == "h264_qsv":
            return {"preset": self.preset, "global_quality": str(self.crf)}
        if self.encoder == "h264_videotoolbox":
            return {"q": str(max(1, 100 - 2 * self.crf))}
        return {"preset": self.preset, "crf": str(self.crf)}


def require_encoder(settings: EncoderSettings) -> None:
    """Whether an encoder that opens here also takes its settings.

    Raises:
        ConfigError: it has no such preset.
        RenderError: it refuses its settings.
    """
    if settings.encoder == SOFTWARE:  # asked by name: x264 itself complains on the terminal
        if settings.preset not in X264_PRESETS:
            raise ConfigError(
                f"--encoder-preset must be one of {', '.join(X264_PRESETS)}"
                f" (got {settings.preset!r})"
            )
        return
    if settings.encoder in HARDWARE:  # it may be busy just now; software stands in then
        return
    context = av.CodecContext.create(settings.encoder, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height = 256, 256
    context.pix_fmt = pixel_format(settings.encoder)
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    context.options = settings.options()
    try:
        context.open()
    except (av.error.FFmpegError, ValueError) as exc:
        raise refused(settings, exc) from exc


class EncoderUnavailable(RenderError):
    """A hardware encoder does not open now: it is missing, busy, or has no session left."""


def refused(settings: EncoderSettings, exc: Exception) -> RenderError:
    """The error for an encoder that does not open with its settings."""
    reason = getattr(exc, "strerror", None) or str(exc)
    if settings.encoder in HARDWARE:
        return EncoderUnavailable(
            f"encoder '{settings.encoder}' does not open now: {reason}",
            hint=f"`--encoder {SOFTWARE}` works everywhere",
        )
    return RenderError(
        f"encoder '{settings.encoder}' refuses preset '{settings.preset}',"
        f" crf {settings.crf}: {reason}",
        hint="`--encoder-preset veryfast --crf 20` are the defaults",
    )


class ClipWriter:
    """One output file. Pictures and sound may arrive in any order of feeding."""

    def __init__(
        self, path: Path, output: OutputFormat, settings: EncoderSettings, *, has_audio: bool
    ) -> None:
        """Open `path` (of any name) for writing as MP4.

        Raises:
            EncoderUnavailable: a hardware encoder is missing or busy.
            RenderError: the encoder does not accept the settings.
            OSError: the file cannot be written.
        """
        self._container = av.open(
            f"file:{path}", "w", format="mp4", options={"movflags": "+faststart"}
        )
        self._frames = 0
        self._samples = 0
        context: av.CodecContext | None = None
        try:
            self._video = self._container.add_stream(
                settings.encoder, rate=output.frame_rate, options=settings.options()
            )
            context = self._video.codec_context
            assert isinstance(context, av.VideoCodecContext)
            context.width, context.height = output.width_px, output.height_px
            context.pix_fmt = pixel_format(settings.encoder)
            context.time_base = 1 / output.frame_rate
            context.gop_size = round(output.frame_rate * KEYFRAME_INTERVAL_S)
            context.thread_count = settings.threads
            context.thread_type = "FRAME"  # slices would cost quality and speed in x264
            context.color_range = ColorRange.MPEG
            context.colorspace = Colorspace.ITU709
            context.color_primaries = ColorPrimaries.BT709
            context.color_trc = ColorTrc.BT709
            self._context = context
            self._audio = None
            if has_audio:
                self._audio = self._container.add_stream(
                    "aac", rate=PROGRAMME.rate_hz, options=AUDIO_OPTIONS
                )
                self._audio.codec_context.bit_rate = AUDIO_BIT_RATE
            self._container.start_encoding()
        except (av.error.FFmpegError, ValueError) as exc:
            # The file is opened after the encoder, which may say "no such file" of its device.
            is_encoding = context is not None and context.is_open
            self._container.close()
            if is_encoding and isinstance(exc, OSError) and exc.errno in UNWRITABLE:
                raise
            raise refused(settings, exc) from exc

    def write_picture(self, frame: av.VideoFrame) -> None:
        """Append one yuv420p frame of the output's size; PyAV rearranges it for the encoder."""
        frame.pts = self._frames
        frame.time_base = 1 / Fraction(self._context.framerate)
        frame.pict_type = 0
        self._frames += 1
        self._container.mux(self._context.encode(frame))

    def write_sound(self, samples: Samples) -> None:
        """Append `PROGRAMME` samples."""
        assert self._audio is not None
        frame = audio_frame(samples, self._samples)
        self._samples += samples.shape[1]
        self._container.mux(self._audio.encode(frame))

    def close(self) -> None:
        """Flush the encoders and write the index."""
        self._container.mux(self._context.encode(None))
        if self._audio is not None:
            self._container.mux(self._audio.encode(None))
        self._container.close()

    def abandon(self) -> None:
        """Close without caring what the file holds; the caller removes it."""
        try:
            self._container.close()
        except (av.error.FFmpegError, OSError, ValueError):
            return  # the reason for abandoning is already on its way up


def write_jpeg(path: Path, frame: av.VideoFrame, quality: int = 4) -> None:
    """Save a picture as JPEG; `quality` is FFmpeg's 2 (best) to 31."""
    context = av.CodecContext.create("mjpeg", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height = frame.width, frame.height
    context.pix_fmt = "yuvj420p"
    context.time_base = Fraction(1, 25)
    context.options = {"qmin": str(quality), "qmax": str(quality)}
    picture = frame.reformat(
        format="yuvj420p", src_color_range=ColorRange.MPEG, dst_color_range=ColorRange.JPEG
    )
    picture.pts = 0
    picture.pict_type = 0
    packets = [*context.encode(picture), *context.encode(None)]
    path.write_bytes(b"".join(bytes(packet) for packet in packets))


def replace_sound(video: Path, sound: Iterator[Samples]) -> None:
    """Write the film again with another sound; its pictures are copied, not encoded."""
    rewritten = video.with_name(f"{video.stem}-sound.part")
    try:
        with (
            av.open(f"file:{video}") as old,
            av.open(
                f"file:{rewritten}", "w", format="mp4", options={"movflags": "+faststart"}
            ) as new,
        ):
            pictures = new.add_stream_from_template(old.streams.video[0])
            audio = new.add_stream("aac", rate=PROGRAMME.rate_hz, options=AUDIO_OPTIONS)
            audio.codec_context.bit_rate = AUDIO_BIT_RATE
            position = 0
            for packet in old.demux(old.streams.video[0]):
                if packet.dts is None or packet.time_base is None:
                    continue
                until = float(packet.dts * packet.time_base) * PROGRAMME.rate_hz
                while position <= until and (samples := next(sound, None)) is not None:
                    new.mux(audio.encode(audio_frame(samples, position)))
                    position += samples.shape[1]
                packet.stream = pictures
                new.mux(packet)
            for samples in sound:
                new.mux(audio.encode(audio_frame(samples, position)))
                position += samples.shape[1]
            new.mux(audio.encode(None))
        rewritten.replace(video)
    finally:
        rewritten.unlink(missing_ok=True)
