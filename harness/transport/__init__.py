"""Moves bytes and owns time: UDP, serial lines, the virtual network, capture taps, the clock."""
