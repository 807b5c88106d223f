"""One package a system: the other side of the wire."""
