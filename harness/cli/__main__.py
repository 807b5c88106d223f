"""Lets ``python -m harness.cli`` be the `iccs` command, where a script's own interpreter line can't be used."""

from harness.cli.main import run

run()
