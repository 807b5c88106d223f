"""A simulated records database: invented people and vehicles, checks with a reason, and an audit of each."""
