from __future__ import annotations

import mmap
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reelremix.engine.memory import PeakMemory

SIZE = 100_000_000
HALF_MB = 50
"""Of that: systems take pages back."""
HOLD = f"held = bytearray(b'x' * {SIZE})"
MAP = """
import mmap, sys
file = open(sys.argv[1], 'rb')
held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
sum(held[::4096])
"""


@contextmanager
def running(code: str, *arguments: str) -> Iterator[None]:
    """A process that has done what `code` says and waits."""
    child = subprocess.Popen(
        [sys.executable, "-c", f"{code}\nprint(flush=True)\ninput()", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    child.stdout.readline()
    yield
    child.communicate("\n")


def test_what_is_held_for_a_moment_counts() -> None:
    with PeakMemory() as memory:
        before = memory.peak_mb
        with mmap.mmap(-1, SIZE) as held:  # new pages, which an allocator may not have lying about
            held[::4096] = b"x" * len(range(0, SIZE, 4096))
            with_it = memory.peak_mb
    assert with_it >= before + HALF_MB
    assert memory.peak_mb >= with_it


def test_processes_that_were_started_count() -> None:
    with PeakMemory() as memory:
        before = memory.peak_mb
        with running(HOLD):
            after = memory.peak_mb
    assert after >= before + HALF_MB


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells shared pages")
def test_pages_shared_with_a_child_count_once(tmp_path: Path) -> None:
    path = tmp_path / "pages"
    path.write_bytes(b"x" * SIZE)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
        sum(held[::4096])
        with PeakMemory() as memory:
            before = memory.peak_mb
            with running(MAP, str(path)):
                after = memory.peak_mb
    assert before > 90
    assert after < before + 50


AGAIN = """
import ctypes, resource
from reelremix.engine.memory import give_back_freed_memory, keep_freed_memory
import psutil
keep = {keep}
if keep:
    keep_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    block = libc.malloc(40_000_000)  # more than glibc would learn to keep by itself
    ctypes.memset(block, 1, 40_000_000)
    libc.free(block)
held = psutil.Process().memory_info().rss
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
give_back_freed_memory()
print(faults, (held - psutil.Process().memory_info().rss) // 1_000_000)
"""
glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")


def taken_and_freed(*, keep: bool) -> tuple[int, int]:
    """Page faults of twenty large blocks in turn, and megabytes that were given back afterwards."""
    done = subprocess.run(
        [sys.executable, "-c", AGAIN.format(keep=keep)], check=True, capture_output=True, text=True
    )
    faults, given_back_mb = map(int, done.stdout.split())
    return faults, given_back_mb


@glibc
def test_freed_memory_is_used_again_until_it_is_given_back() -> None:
    faults, given_back_mb = taken_and_freed(keep=True)
    usual, _ = taken_and_freed(keep=False)
    assert faults < usual / 10
    assert given_back_mb >= 30
