"""`reelremix clip`: from recordings to finished clips."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reelremix.cli import diagnostics, options, output, remote
from reelremix.cli.diagnostics import Exit
from reelremix.cli.remote import daemon_for
from reelremix.cli.results import attempt
from reelremix.cli.run import CommandRun, listener_for
from reelremix.engine import requesting
from reelremix.errors import ConfigError, ModelNotInstalled, ReelRemixError

if TYPE_CHECKING:
    from reelremix.engine.domain.context import CancelToken
    from reelremix.engine.domain.request import ClipRequest
    from reelremix.engine.joblog import Listener
    from reelremix.engine.jobs.films import ClipResult


def clip(
    sources: options.Sources,
    out: options.Out = None,
    count: options.Count = None,
    minimum: options.MinLength = None,
    maximum: options.MaxLength = None,
    about: options.About = None,
    ranges: options.Ranges = None,
    tighten: options.TightenLevel = None,
    judge: options.Judge = None,
    judge_model: options.JudgeModel = None,
    plan: Annotated[
        bool,
        typer.Option(
            "--plan", help="Decide everything, render nothing.", rich_help_panel=options.FILES
        ),
    ] = False,
    subtitles: options.Subtitles = None,
    overwrite: options.Overwrite = False,
    absolute_paths: Annotated[
        bool,
        typer.Option(
            "--absolute-paths",
            help="Keep the recording's full path in the manifest.",
            rich_help_panel=options.FILES,
        ),
    ] = False,
    aspect: options.AspectRatio = None,
    layout: options.LayoutOf = None,
    zoom: options.ZoomOf = None,
    captions: options.Captions = None,
    brand: options.Brand = None,
    emoji: options.Emoji = None,
    platform: options.Platform = None,
    faces: Annotated[
        bool | None,
        typer.Option("--faces/--no-faces", help="Follow faces.", rich_help_panel=options.PICTURE),
    ] = None,
    denoise: options.Denoise = None,
    voice_level: options.VoiceLevel = None,
    music: options.MusicFile = None,
    music_level: options.MusicLevel = None,
    censor: options.CensorMode = None,
    encoder: options.Encoder = None,
    encoder_preset: options.EncoderPreset = None,
    crf: options.Crf = None,
    fps: options.Fps = None,
    jobs: options.Jobs = None,
    model: options.Model = None,
    language: options.Language = None,
    initial_prompt: options.Prompt = None,
    vocabulary: options.Vocabulary = None,
    device: options.Device = None,
    speakers: options.Speakers = None,
    audio_stream: options.AudioStream = None,
    transcript: options.TranscriptFile = None,
    align: options.Align = None,
    install_models: options.InstallModels = False,
    local: Annotated[
        bool,
        typer.Option(
            "--local",
            help="Do it here, even while the daemon runs.",
            rich_help_panel=options.RUNNING,
        ),
    ] = False,
    detach: Annotated[
        bool,
        typer.Option(
            "--detach",
            help="Queue it in the daemon, print the job's id, and return.",
            rich_help_panel=options.RUNNING,
        ),
    ] = False,
    as_json: options.Json = False,
    progress: options.Progress = None,
    quiet: options.QuietFlag = False,
) -> None:
    """Find and render the best clips of SOURCE."""
    run = CommandRun(options.typed(locals()))
    options.require_use("--music-level", music_level is not None, bool(run.settings.music),
                        "without --music")  # fmt: skip
    options.require_captions(run.settings.captions, emoji, platform)
    recordings = options.expand_sources(sources)
    if transcript is not None and len(recordings) > 1:
        raise ConfigError("--transcript goes with one recording, not with several")
    listener = listener_for(progress, quiet=quiet)
    through_daemon = detach or daemon_for(run.settings, local=local)
    if detach and local:
        raise ConfigError("--detach queues it in the daemon and --local does it here")
    if detach:
        remote.require_daemon(run.settings)
    request_of = partial(
        requesting.clip_request,
        run.settings,
        plan_only=plan,
        overwrite=overwrite,
        absolute_paths=absolute_paths,
        audio_stream=audio_stream,
        emoji=emoji,
        transcribe=requesting.transcribe_options(run.settings, transcript),
        select=requesting.select_options(
            run.settings, [options.parse_range(text) for text in ranges or ()], about
        ),
    )
    requests = map(request_of, recordings)
    if detach:
        raise typer.Exit(_queue_all(run, requests, listener, install_models, as_json=as_json))
    work = partial(remote.clip, run.settings) if through_daemon else run.library.clip
    raise typer.Exit(_clip_all(run, work, requests, listener, install_models, as_json=as_json))


def _clip_all(
    run: CommandRun,
    work: Callable[..., ClipResult],
    requests: Iterable[ClipRequest],
    listener: Listener,
    install: bool,
    *,
    as_json: bool,
) -> Exit:
    """Clip one recording after the other, and show each when it is done."""
    reports = []
    for request in requests:
        clip = partial(_clip, run, work, request, listener, install)
        reports.append(attempt(request.source, clip))
        if not as_json:
            reports[-1].show()
    if as_json:
        output.show_json({"version": 1, "runs": [report.to_dict() for report in reports]})
    return diagnostics.combined([report.code for report in reports])


def _queue_all(
    run: CommandRun,
    requests: Iterable[ClipRequest],
    listener: Listener,
    install: bool,
    *,
    as_json: bool,
) -> Exit:
    """Have the daemon clip them later, and show the ids of its jobs."""
    queued, codes = list[str](), list[Exit]()
    for request in requests:
        codes.append(_detach(run, request, listener, install, queued))
    _show_queued(queued, as_json=as_json)
    return diagnostics.combined(codes)


def _show_queued(ids: list[str], *, as_json: bool) -> None:
    if as_json:
        output.show_json({"version": 1, "jobs": ids})
    elif ids:
        output.show_text("\n".join(ids))


def _detach(
    run: CommandRun, request: ClipRequest, listener: Listener, install: bool, queued: list[str]
) -> Exit:
    """Queue a recording once it is sure that nothing is wrong which can be told now."""
    try:
        options.require_recording(request.source)
        run.with_models(partial(_check, run, request), listener, install)
        queued.append(remote.submit(run.settings, request).id)
    except ReelRemixError as exc:
        diagnostics.say_error(exc)
        return diagnostics.exit_code(exc)
    return Exit.OK


def _check(run: CommandRun, request: ClipRequest, *, cancel: CancelToken, **_: Any) -> None:
    run.library.check(request, cancel)


def _clip(
    run: CommandRun,
    work: Callable[..., ClipResult],
    request: ClipRequest,
    listener: Listener,
    install: bool,
) -> ClipResult:
    options.require_recording(request.source)
    if work == run.library.clip:
        return run.with_models(partial(work, request), listener, install)
    check = partial(_check, run, request)
    return _clip_there(run, partial(work, request), check, listener, install)


def _clip_there(
    run: CommandRun,
    work: Callable[..., ClipResult],
    check: Callable[..., None],
    listener: Listener,
    install: bool,
) -> ClipResult:
    """Have the daemon do it, which installs no models: what it lacks is installed here."""
    if install:
        run.with_models(check, listener, install)
        return run.job(work, listener)
    try:
        return run.job(work, listener)
    except ModelNotInstalled:
        run.with_models(check, listener)
        if not run.installed:  # it is here, and the daemon looks for it elsewhere
            raise
    return run.job(work, listener)
