"""The ICCS simulator: switch, operator positions, radio desk and their control interface."""
