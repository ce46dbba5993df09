"""How a command runs a job: off the main thread, so that Ctrl-C is heard within a second."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from reelremix.cli import diagnostics
from reelremix.cli.diagnostics import Exit
from reelremix.config import LoadedSettings, load_settings
from reelremix.errors import Cancelled, ConfigError, ModelNotInstalled

if TYPE_CHECKING:
    from reelremix.engine.domain.context import PartialFiles
    from reelremix.engine.joblog import Listener
    from reelremix.engine.library import Library

T = TypeVar("T")
KINDS = ("bar", "plain", "json")
"""Ways to show progress that can be asked for."""
TOLD_WITHIN_S = 0.2
FORCED_AFTER_S = 0.7
"""What native code has not given back by then is ended by force."""


class CommandRun:
    """Settings, library and signals of one command."""

    def __init__(self, flags: dict[str, Any] | None = None) -> None:
        self.loaded: LoadedSettings = load_settings().with_flags(flags or {})
        self.settings = self.loaded.settings
        self._library: Library | None = None
        self.installed: tuple[str, ...] = ()
        """Models that were installed on the way."""

    @property
    def library(self) -> Library:
        """The user's library, opened when first needed."""
        if self._library is None:
            from reelremix.engine.library import Library

            self._library = Library.open(self.settings)
        return self._library

    def with_models(self, work: Callable[..., T], listener: Listener, install: bool = False) -> T:
        """Run a job; a missing model is installed on request, or after a yes at a terminal."""
        before = len(self.installed)
        while True:
            try:
                return self.job(work, listener)
            except ModelNotInstalled as exc:
                if exc.name is None or exc.name in self.installed[before:]:
                    raise
                if not (install or _agrees_to_install(exc)):
                    raise
                self.install(exc.name, listener)
                self.installed += (exc.name,)

    def install(
        self, name: str, listener: Listener, origin: str | None = None, folder: Path | None = None
    ) -> Path:
        """Fetch a model's weights, with progress; returns their folder."""
        from reelremix.engine.models.install import InstallOptions

        options = InstallOptions(origin=origin, folder=folder)
        return self.job(partial(self.library.install_model, name, options), listener)

    def job(self, work: Callable[..., T], listener: Listener) -> T:
        """Run `work(listener=, cancel=, partial_files=)` and wait for it.

        Ctrl-C sets the cancel token. If the job has not ended soon after, its partial files are
        removed, its processes ended, and this process leaves with code 130.
        """
        from reelremix.cli.errorlog import errors_logged
        from reelremix.cli.reporters import JsonLines
        from reelremix.engine.domain.context import CancelToken, PartialFiles
        from reelremix.engine.memory import keep_freed_memory

        keep_freed_memory()
        cancel, partial_files = CancelToken(), PartialFiles()
        outcome = _Outcome[T]()
        in_json = isinstance(listener, JsonLines)

        def body() -> None:
            outcome.take(
                lambda: work(listener=listener, cancel=cancel, partial_files=partial_files)
            )

        thread = threading.Thread(target=body, daemon=True)
        with contextlib.ExitStack() as stack:
            stack.enter_context(errors_logged(self.settings.log_path, quiet=in_json))
            if isinstance(listener, contextlib.AbstractContextManager):
                stack.enter_context(listener)
            stack.enter_context(_signals(cancel.set))
            thread.start()
            while thread.is_alive() and not cancel.is_set():
                thread.join(0.1)
            if cancel.is_set():
                thread.join(FORCED_AFTER_S)
        if thread.is_alive():
            self._leave_by_force(partial_files, quiet=in_json)
        if isinstance(listener, JsonLines):
            consider_told_by(listener, outcome.error)
        return outcome.result()

    def _leave_by_force(self, partial_files: PartialFiles, *, quiet: bool) -> NoReturn:
        import psutil

        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        for path in partial_files:
            path.unlink(missing_ok=True)
        if self._library is not None:
            # A library that another program holds is not waited for.
            told = threading.Thread(target=self._library.abandon, daemon=True)
            told.start()
            told.join(TOLD_WITHIN_S)
        if not quiet:
            diagnostics.say_cancelled()
        sys.stdout.flush()
        os._exit(Exit.CANCELLED)


def listener_for(progress: str | None, *, quiet: bool) -> Listener:
    """The listener for the chosen kind of progress; by default what the terminal can show.

    Raises:
        ConfigError: there is no such kind.
    """
    from reelremix.cli.reporters import JsonLines, PlainLines, Quiet, TerminalProgress

    if progress not in (None, *KINDS):
        raise ConfigError(f"--progress must be one of {', '.join(KINDS)} (got {progress!r})")
    if quiet:
        return Quiet()
    if progress == "json":
        return JsonLines()
    if progress == "plain" or not sys.stderr.isatty():
        return PlainLines()
    return TerminalProgress()


def consider_told_by(listener: Listener, error: BaseException | None) -> None:
    """Say nothing more about an error that JSON lines have told.

    They tell none of a job that never began.
    """
    from reelremix.cli.reporters import JsonLines

    if not isinstance(listener, JsonLines) or error is None:
        return
    if listener.has_told_failure or isinstance(error, Cancelled):
        diagnostics.consider_told(error)


class _Outcome(Generic[T]):
    """What a thread returned or raised."""

    def __init__(self) -> None:
        self._value: list[T] = []
        self.error: BaseException | None = None

    def take(self, work: Callable[[], T]) -> None:
        """Run `work` and keep what comes of it."""
        try:
            self._value.append(work())
        except BaseException as exc:
            self.error = exc

    def result(self) -> T:
        """The value, or the error raised again."""
        if self.error is not None:
            raise self.error
        return self._value[0]


def _agrees_to_install(missing: ModelNotInstalled) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    diagnostics.say(f"{missing.message}. {missing.hint or ''}")
    diagnostics.say(f"Install '{missing.name}' now? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` on Ctrl-C and on a polite request to end."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
