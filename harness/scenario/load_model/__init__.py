"""A day of the load model: what comes when, played through the real protocol engines in virtual time, in parts."""
