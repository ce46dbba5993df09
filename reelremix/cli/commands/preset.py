"""`reelremix preset`: looks of captions, built in and your own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reelremix.cli import diagnostics, options, output
from reelremix.cli.run import CommandRun
from reelremix.errors import ConfigError

preset_app = typer.Typer(
    help="List, show, make and check looks of captions.",
    no_args_is_help=True,
    epilog=diagnostics.EPILOG,
)
Name = Annotated[str, typer.Argument(help="A name from `reelremix preset list`, or a TOML file.")]


@preset_app.command("list")
def list_presets(as_json: options.Json = False) -> None:
    """Show every preset, where it comes from and what it looks like."""
    from reelremix.engine.captions.preset import listed_presets

    found = listed_presets(CommandRun().settings.presets_path)
    if as_json:
        output.show_json({"version": 1, "presets": [
            {"name": p.name, "origin": p.origin, "description": p.description, "problem": p.problem}
            for p in found
        ]})  # fmt: skip
        return
    columns = [("preset", "left"), ("from", "left"), ("looks", "wrap")]
    output.show_table(columns, [
        (p.name, p.origin, f"cannot be used: {p.problem}" if p.problem else p.description)
        for p in found
    ])  # fmt: skip


@preset_app.command()
def show(
    name: Name,
    image: Annotated[
        Path | None, typer.Option(help="Write a picture of it to this PNG file.", metavar="FILE")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Print a preset, or write a picture of it."""
    from reelremix.engine.captions.preset import preset_text, read_preset
    from reelremix.engine.captions.style import to_dict

    if image is not None and image.suffix.lower() != ".png":
        raise ConfigError(f"--image writes a PNG, so its name must end in .png (got {image})")
    folder = CommandRun().settings.presets_path
    preset = read_preset(name, folder)
    if image is not None:
        _write_image(name, folder, image)
    if as_json:
        output.show_json({
            "version": 1, "name": preset.name, "origin": preset.origin,
            "description": preset.description, "style": to_dict(preset.style),
            "image": None if image is None else str(image),
        })  # fmt: skip
    elif image is None:
        output.show_text(preset_text(name, folder))


def _write_image(name: str, folder: Path, image: Path) -> None:
    from reelremix.engine.captions.preset import read_preset
    from reelremix.engine.stages.sampling import show_sample

    try:
        show_sample(read_preset(name, folder), image)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise ConfigError(f"{image} cannot be written: {reason}") from exc
    diagnostics.say(f"{image} shows {name}")


@preset_app.command()
def new(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    base: Annotated[
        str, typer.Option("--from", help="The preset to begin with.", metavar="PRESET")
    ] = "bold",
    as_json: options.Json = False,
) -> None:
    """Write a preset of your own, every key explained, ready to be changed."""
    from reelremix.engine.captions.preset import new_preset

    path = new_preset(name, base, CommandRun().settings.presets_path)
    if as_json:
        output.show_json({"version": 1, "name": name, "path": str(path)})
        return
    diagnostics.say(f"{path} is yours to change; `--captions {name}` uses it")


@preset_app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A preset's TOML file.", show_default=False)],
    as_json: options.Json = False,
) -> None:
    """Tell everything that is wrong with a preset."""
    from reelremix.engine.stages.bookends import check_kit

    problems = check_kit(file)
    if as_json:
        output.show_json({"version": 1, "file": str(file), "problems": problems})
    elif problems:
        output.show_text("\n".join(problems))
    else:
        diagnostics.say(f"{file} can be used")
    raise typer.Exit(diagnostics.Exit.USAGE if problems else diagnostics.Exit.OK)
