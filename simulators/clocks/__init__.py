"""The clocks of simulated nodes: each tells its time by SNTP, and each can be set wrong."""
