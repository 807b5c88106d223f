"""Acceptance test harness for a police control room's communications."""
