"""The `iccs` command."""
