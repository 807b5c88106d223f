"""SMPP 3.4 (Short Message Peer-to-Peer Protocol Specification, version 3.4, issue 1.2), sans-I/O."""
