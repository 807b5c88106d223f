"""Feeds to workforce management, our own form: agents' states, and figures of queues by intervals of 15 minutes."""
