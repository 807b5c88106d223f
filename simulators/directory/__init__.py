"""A simulated directory (phone book): edited at its own interface, read by control rooms as a feed."""
