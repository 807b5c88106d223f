"""Where a caller is: AML, the caller-location interface, PIDF-LO in SIP, and eCall's minimum set of data; sans-I/O."""
