"""What an enterprise switch is told at its start."""
