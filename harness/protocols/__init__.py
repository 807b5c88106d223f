"""Sans-I/O protocols: bytes to messages to state machines; no sockets, no clock, no logging."""
