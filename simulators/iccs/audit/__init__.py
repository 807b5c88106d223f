"""The audit trail of a control room: who did what, in memory for those who look, and in a file that can be verified."""
