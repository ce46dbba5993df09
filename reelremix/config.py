"""Settings, layered, each with where its value came from; and every path, built in this one place.

Order: defaults < user file < project file < environment (`REELREMIX_*`) < flags. Nothing reads
settings from a global: they are loaded once by the command line and passed in.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from reelremix.errors import ConfigError

APP = "reelremix"
PROJECT_FILE = ".reelremix.toml"
ENVIRONMENT_PREFIX = "REELREMIX_"
PERSONAL = ("judge", "judge_model", "stores", "jobs_url")
"""Settings that decide where what is said is sent: a folder from elsewhere must not."""

T = TypeVar("T")


def _setting(
    default: T,
    meaning: str,
    bounds: tuple[float, float] | None = None,
    words: tuple[str, ...] = (),
) -> T:
    """A field with its one-line explanation, which `reelremix config show` prints.

    `bounds` are the lowest and the highest value of a number. `words` make a text that is either
    one of them or such a whole number.
    """
    metadata = {"meaning": meaning, "bounds": bounds, "words": words}
    described: T = field(default=default, metadata=metadata)
    return described


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a user can set once instead of typing it each time."""

    out: str = _setting("clips", "Folder that clips are written into.")
    count: str = _setting("10", "How many clips to make at most, or auto.", (1, 100), ("auto",))
    min: float = _setting(15.0, "Shortest clip in seconds.", (1, 3600))
    max: float = _setting(60.0, "Longest clip in seconds.", (1, 3600))
    aspect: str = _setting("9:16", "Shape of the output: 9:16, 1:1, 4:5 or 16:9.")
    layout: str = _setting(
        "auto", "How people are shown: auto, single, split, screen, fit or center."
    )
    zoom: str = _setting(
        "cuts", "When to cut to a tighter picture: off, cuts (what was cut out) or emphasis."
    )
    captions: str = _setting("bold", "Caption preset, or none.")
    brand: str = _setting(
        "",
        "Preset whose title card, bar, logo, intro and outro are shown; empty takes the captions'.",
    )
    platform: str = _setting(
        "", "Interface captions keep clear of: tiktok, reels, shorts or all; empty asks the preset."
    )
    subtitles: str = _setting("srt", "Subtitle files beside each clip: srt, vtt, ass, or none.")
    tighten: str = _setting("off", "What is cut out of clips: off, light or strong.")
    faces: bool = _setting(True, "Whether to look for faces and follow them.")
    model: str = _setting("auto", "Whisper model: a registry name, a folder, or auto.")
    language: str = _setting("", "Language spoken, such as en; empty detects it.")
    initial_prompt: str = _setting("", "Text that sets the style and spelling of the transcript.")
    vocabulary: str = _setting("", "Names and terms to listen for, separated by commas.")
    device: str = _setting("auto", "auto, cpu or cuda.")
    gpu_full: str = _setting(
        "wait", "What the daemon does where no GPU has room for the model: wait, smaller or cpu."
    )
    speakers: str = _setting(
        "auto", "How many people speak: a number, auto, or off.", (1, 100), ("auto", "off")
    )
    align: bool = _setting(
        True, "Whether given words without times get those at which they are heard."
    )
    denoise: bool = _setting(False, "Whether to take steady noise out of the sound, gently.")
    voice_level: bool = _setting(False, "Whether to bring quiet and loud voices closer together.")
    music: str = _setting("", "A music file to play under the speech; empty is none.")
    music_level: float = _setting(
        -12.0, "How loud music is in pauses, in dB against the speech.", (-60, 6)
    )
    censor: str = _setting("off", "What becomes of strong profanity: off, bleep or mute.")
    censor_words: str = _setting(
        "", "A file with more words to censor, one a line; * at the end stands for any ending."
    )
    encoder: str = _setting("auto", "auto, or an FFmpeg encoder such as libx264 or h264_nvenc.")
    encoder_preset: str = _setting("veryfast", "x264 preset: faster is larger.")
    crf: int = _setting(20, "Quality, 0 (lossless) to 51.", (0, 51))
    fps: str = _setting("source", "Frame rate of the output: source or a number.")
    jobs: int = _setting(0, "Clips rendered at once; 0 chooses by the number of cores.", (0, 64))
    judge: str = _setting(
        "", "Who compares the best moments: ollama:MODEL or an address; empty is nobody."
    )
    judge_model: str = _setting("", "Model to ask for at that address; empty takes its first.")
    judge_budget_s: float = _setting(120.0, "Seconds the judge may take in a run.", (1, 86400))
    judge_calls: int = _setting(60, "Times the judge may be asked in a run.", (1, 10_000))
    judge_tokens: int = _setting(200_000, "Tokens the judge may use in a run.", (1, 1e9))
    theme: str = _setting("dark", "Colours of the review session: dark or light.")
    pictures: str = _setting(
        "auto", "Pictures in the review session: auto, kitty, sixel, blocks or off."
    )
    data_dir: str = _setting(
        "", "Where the library, models and artifacts live; empty is the platform's place."
    )
    downloads_dir: str = _setting(
        "", "Where recordings from the web are kept; empty is a folder among the data."
    )
    models_dir: str = _setting("", "A folder of models to look in first and to install into.")
    stores: str = _setting(
        "", "Who opens the stores, as module:function; empty keeps everything on this machine."
    )
    jobs_at_once: int = _setting(
        0, "Jobs the daemon works on at a time; 0 chooses by the number of GPUs.", (0, 64)
    )
    jobs_url: str = _setting(
        "",
        "Database of the daemon's queue, as SQLAlchemy writes it; empty is a file among the data.",
    )
    executor: str = _setting(
        "local", "Name of this daemon among others that share a queue: stable, and its own."
    )
    daemon_port: int = _setting(
        0, "Port of the daemon on this machine; 0 takes a free one.", (0, 65535)
    )
    daemon_memory_mb: int = _setting(
        0, "Memory the daemon's jobs may take together; 0 leaves a fifth to others.", (0, 1e9)
    )
    worker_idle_s: float = _setting(
        300.0, "Seconds after which the daemon unloads models that nobody uses.", (1, 86400)
    )
    crash_limit: int = _setting(
        5, "A job that is broken off so often without getting on is given up.", (1, 1000)
    )
    artifact_cap_mb: int = _setting(
        4096, "Artifacts beyond this are dropped, the least recently used first.", (0, 1e9)
    )

    @property
    def data_path(self) -> Path:
        """Where the library, models and artifacts live."""
        if self.data_dir:
            return expanded(self.data_dir, "data_dir")
        import platformdirs

        folder = platformdirs.user_data_dir(APP, appauthor=False)
        return expanded(folder, "the folder of data")

    @property
    def model_roots(self) -> tuple[Path, ...]:
        """Folders searched for models, in order; new models go into the first."""
        own = self.data_path / "models"
        return (expanded(self.models_dir, "models_dir"), own) if self.models_dir else (own,)

    @property
    def library_file(self) -> Path:
        """The SQLite catalogue."""
        return self.data_path / "library.sqlite3"

    @property
    def artifacts_path(self) -> Path:
        """Folder of stage results."""
        return self.data_path / "artifacts"

    @property
    def downloads_path(self) -> Path:
        """Where recordings from the web are kept."""
        if self.downloads_dir:
            return expanded(self.downloads_dir, "downloads_dir")
        return self.data_path / "downloads"

    @property
    def jobs_file(self) -> Path:
        """The daemon's queue."""
        return self.data_path / "jobs.sqlite3"

    @property
    def daemon_path(self) -> Path:
        """Folder of the running daemon: its lock, its address and token, and its log."""
        return self.data_path / "daemon"

    @property
    def locks_path(self) -> Path:
        """Folder of locks between processes."""
        return self.data_path / "locks"

    @property
    def presets_path(self) -> Path:
        """Folder of the user's caption presets, beside the settings file."""
        return user_file(os.environ).parent / "presets"

    @property
    def log_path(self) -> Path:
        """Folder of logs."""
        return self.data_path / "logs"


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings and, for each, where its value came from."""

    settings: Settings
    origins: dict[str, str] = field(default_factory=dict)
    """Setting name to `default`, a file's path, `environment NAME` or `flag --name`."""

    def with_flags(self, flags: Mapping[str, Any]) -> LoadedSettings:
        """Flags on top; a flag counts only if it was typed (is not None)."""
        typed = {name: value for name, value in flags.items() if value is not None}
        checked = {
            name: _checked(name, value, f"flag {_flag(name)}") for name, value in typed.items()
        }
        origins = self.origins | {name: f"flag {_flag(name)}" for name in typed}
        return LoadedSettings(replace(self.settings, **checked), origins)


def user_file(environ: Mapping[str, str]) -> Path:
    """Where the user's settings file is, whether it exists or not."""
    if explicit := environ.get("REELREMIX_CONFIG"):
        return expanded(explicit, "REELREMIX_CONFIG")
    import platformdirs

    folder = platformdirs.user_config_dir(APP, appauthor=False)
    return expanded(folder, "the folder of settings") / "config.toml"


def expanded(path: str, what: str) -> Path:
    """A path with `~` resolved. Raises ConfigError naming `what` for a home there is not."""
    try:
        return Path(path).expanduser()
    except RuntimeError as exc:
        raise ConfigError(
            f"{what} {path} cannot be found: {str(exc).rstrip('.').lower()}",
            hint="write it out in full, or set HOME",
        ) from exc


def load_settings(
    environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> LoadedSettings:
    """Read every layer below the flags.

    Raises:
        ConfigError: a file is not TOML, a key is unknown, or a value has the wrong type.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    origins = {f.name: "default" for f in fields(Settings)}
    project = (cwd or _working_folder()) / PROJECT_FILE
    for path in (user_file(environ), project):
        for name, value in _read_file(path).items():
            if path == project and name in PERSONAL:
                raise ConfigError(
                    f"{path}: {name} is not taken from a folder's file: what is said would go where"
                    " whoever wrote that wants",
                    hint=f"put it into {user_file(environ)}, or type `--{name.replace('_', '-')}`",
                )
            values[name], origins[name] = value, str(path)
    for variable, text in sorted(environ.items()):
        setting = _setting_of(variable)
        if setting is not None:
            values[setting] = _parsed(setting, text, variable)
            origins[setting] = f"environment {variable}"
    return LoadedSettings(Settings(**values), origins)


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as exc:
        raise ConfigError(
            "the folder you are in was deleted", hint="`cd` to another one and try again"
        ) from exc


def describe_settings() -> dict[str, str]:
    """Each setting's name and its one-line explanation."""
    return {f.name: str(f.metadata["meaning"]) for f in fields(Settings)}


def _read_file(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as exc:
        raise ConfigError(f"{path} cannot be read: {(exc.strerror or str(exc)).lower()}") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path} is not valid TOML: {exc}") from exc
    except RecursionError as exc:
        raise ConfigError(f"{path} holds no settings: its values are nested too deeply") from exc
    return {name: _checked(name, value, str(path)) for name, value in content.items()}


def _checked(name: str, value: Any, origin: str) -> Any:
    kinds = _kinds()
    if name not in kinds:
        near = difflib.get_close_matches(name, kinds, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigError(
            f"{origin}: there is no setting {name!r}{meant}",
            hint="`reelremix config show` lists all settings",
        )
    kind = kinds[name]
    _refuse_secret(name, value, origin)
    if words := _metadata(name)["words"]:
        return _number_or_word(name, value, origin, words)
    if kind is not str:
        _require_bounds(name, value, origin)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is str and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if type(value) is not kind:
        raise ConfigError(f"{origin}: {name} must be {_named(kind)} (got {value!r})")
    return value


def _number_or_word(name: str, value: Any, origin: str, words: tuple[str, ...]) -> str:
    text = str(value)
    low, high = _metadata(name)["bounds"]
    is_number = type(value) in (int, str) and re.fullmatch(r"-?\d{1,9}", text, re.ASCII)
    if text not in words and not (is_number and low <= int(text) <= high):
        ways = f"{' or '.join(words)}, or between {low:g} and {high:g}"
        raise ConfigError(f"{_what(name, origin)} must be {ways} (got {text})")
    return text


def _parsed(name: str, text: str, variable: str) -> Any:
    kind = _kinds()[name]
    _refuse_secret(name, text, variable)
    if _metadata(name)["words"]:
        return _checked(name, text, variable)
    if kind is bool:
        words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        if text.lower() not in words:
            raise ConfigError(f"{variable} must be true or false (got {text!r})")
        return words[text.lower()]
    try:
        value = kind(text)
    except ValueError as exc:
        raise ConfigError(f"{variable} must be {_named(kind)} (got {text!r})") from exc
    _require_bounds(name, value, variable)
    return value


def _require_bounds(name: str, value: Any, origin: str) -> None:
    """Raise ConfigError for a number outside its bounds, and for one that is not a number."""
    bounds = _metadata(name)["bounds"]
    if bounds is None or isinstance(value, bool) or not isinstance(value, int | float):
        return
    low, high = bounds
    if not low <= value <= high:
        ways = f"between {low:g} and {high:g}"
        raise ConfigError(f"{_what(name, origin)} must be {ways} (got {value:g})")


def _what(name: str, origin: str) -> str:
    """A setting as whoever set it knows it."""
    what = origin.removeprefix("flag ")
    return what if what.startswith(("--", ENVIRONMENT_PREFIX)) else f"{what}: {name}"


def _refuse_secret(name: str, value: object, origin: str) -> None:
    """Raise ConfigError for an address that may hold a password: settings are shown to others."""
    if name == "jobs_url" and isinstance(value, str) and "@" in value and _has_password(value):
        raise ConfigError(
            f"{origin}: jobs_url must not hold a password",
            hint="leave it out; PostgreSQL takes it from PGPASSWORD or from ~/.pgpass",
        )
    if name != "judge" or not isinstance(value, str) or value.startswith("ollama:"):
        return
    if any(mark in unicodedata.normalize("NFKC", value) for mark in "@?#"):
        raise ConfigError(
            f"{origin}: the judge's address must not hold a user name, a password or a query",
            hint="leave them out; a key goes into the environment as REELREMIX_JUDGE_KEY",
        )


def _has_password(address: str) -> bool:
    return ":" in address.partition("://")[2].rpartition("@")[0]


def _setting_of(variable: str) -> str | None:
    """The setting an environment variable names; None for variables that are not ours."""
    if not variable.startswith(ENVIRONMENT_PREFIX) or variable == "REELREMIX_CONFIG":
        return None
    name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
    return name if name in _kinds() else None


def _metadata(name: str) -> Mapping[str, Any]:
    return next(f.metadata for f in fields(Settings) if f.name == name)


def _kinds() -> dict[str, type]:
    hints = get_type_hints(Settings)
    return {f.name: hints[f.name] for f in fields(Settings)}


def _named(kind: type) -> str:
    return {int: "a whole number", float: "a number", str: "text", bool: "true or false"}[kind]


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
