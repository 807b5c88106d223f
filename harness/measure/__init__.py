"""Pure functions over journal and samples: latency, access time, set-up time."""
