"""A simulated radio behind control lines, at a terminal server's port (RFC 2217)."""
