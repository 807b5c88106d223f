"""Reads the inventory, binds each role to a driver, starts what is simulated, holds the interlock."""
