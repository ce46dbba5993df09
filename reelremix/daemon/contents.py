"""The files of one watched folder: which are waited for, and which nothing is to be done about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reelremix.daemon.folder_scan import scan
from reelremix.daemon.settling import Settling, Signature, signature_of
from reelremix.daemon.troubles import Troubles, reason_of
from reelremix.engine.domain.watch import Watch


class Contents:
    """What is known of the files in a folder as they are."""

    def __init__(self, troubles: Troubles, clock: Callable[[], float]) -> None:
        self._troubles = troubles
        self._settling = Settling(clock)
        self._dealt: dict[Path, Signature] = {}
        """Files that nothing more is to be done about while they are so."""
        self._refused: set[Path] = set()
        """Those of them that could not be read."""

    @property
    def waiting(self) -> int:
        """How many files are not dealt with."""
        return len(self._settling)

    def settled(self, settle_s: float) -> list[tuple[Path, Signature]]:
        """Files that have stopped growing, in the order in which they are to be taken."""
        return self._settling.settled(settle_s)

    def look_through(self, watch: Watch, check: Callable[[], None]) -> bool:
        """Look at the whole folder; returns whether it holds clips, and is left alone.

        Raises:
            OSError: it cannot be read.
            Cancelled: as `check` does.
        """
        found = scan(watch, check)
        self._settling.saw({p: s for p, s in found.files.items() if self._dealt.get(p) != s})
        self._settling.keep(found.files.keys())
        self._dealt = {p: s for p, s in self._dealt.items() if p in found.files}
        self._refused &= found.files.keys()
        for path, error in found.unreadable.items():
            self._tell(path, error)
        still = found.unreadable.keys() | self._refused
        self._troubles.solve_files(lambda path: path not in still)
        return found.is_output

    def look_again(self, check: Callable[[], None]) -> None:
        """Look at the files that are waited for; `check` may end that."""
        found: dict[Path, Signature] = {}
        for path in self._settling:
            check()
            try:
                found[path] = signature_of(path.stat())
            except (FileNotFoundError, NotADirectoryError):
                self.leave(path)
            except OSError as exc:
                self.refuse(path, Signature(0, 0), exc)
        self._settling.saw(found)

    def leave(self, path: Path) -> None:
        """Know nothing of a file: it is gone, or to be looked at anew."""
        self._settling.forget(path)

    def deal(self, path: Path, signature: Signature) -> None:
        """Nothing more is to be done about a file while it is so."""
        self._settling.forget(path)
        self._dealt[path] = signature
        self._refused.discard(path)
        self._troubles.solve(path)

    def refuse(self, path: Path, signature: Signature, error: OSError) -> None:
        """Leave a file that cannot be read, until those are given another chance."""
        self._settling.forget(path)
        self._dealt[path] = signature
        self._refused.add(path)
        self._tell(path, error)

    def give_another_chance(self) -> None:
        """Try files that could not be read again."""
        for path in self._refused:
            self._dealt.pop(path, None)

    def stop_waiting(self) -> None:
        """Wait for no file."""
        self._settling.keep(())

    def begin_anew(self) -> None:
        """Look at every file as if for the first time."""
        self._dealt.clear()

    def _tell(self, path: Path, error: OSError) -> None:
        self._troubles.tell(path, f"{path} cannot be read: {reason_of(error)}")
