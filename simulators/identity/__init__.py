"""A simulated identity provider: people sign in with a password and a one-time code, and Webex is told who they are."""
