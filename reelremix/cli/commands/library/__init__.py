"""`reelremix library`: what is kept on this machine, a file for each kind of command."""

from __future__ import annotations

import typer

from reelremix.cli import diagnostics
from reelremix.cli.commands.library.carrying import backup, export, import_
from reelremix.cli.commands.library.checking import check, relink
from reelremix.cli.commands.library.listing import list_, search, show
from reelremix.cli.commands.library.tidying import gc, rm

library_app = typer.Typer(
    help="Show, search, move, check and tidy what is kept on this machine.",
    no_args_is_help=True,
    epilog=diagnostics.EPILOG,
)
library_app.command("list")(list_)
library_app.command()(show)
library_app.command()(search)
library_app.command()(relink)
library_app.command()(rm)
library_app.command()(gc)
library_app.command()(export)
library_app.command("import")(import_)
library_app.command()(check)
library_app.command()(backup)
