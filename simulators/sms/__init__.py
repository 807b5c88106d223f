"""The simulated SMS network: handsets, a modem on a serial line, and a service centre that speaks SMPP 3.4."""
