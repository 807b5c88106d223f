"""One module a role: what a test can do to a console, a trunk, a radio."""
