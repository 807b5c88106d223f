"""A simulated command-and-control system, in one of two shapes: in STORM's place, and what comes after it."""
