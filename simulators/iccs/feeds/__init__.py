"""What the ICCS tells workforce management: advisers' states and queues' figures by intervals, by REST and by file."""

from simulators.iccs.feeds.feeds import FeedError, Feeds, GoneError, Page

__all__ = ["FeedError", "Feeds", "GoneError", "Page"]
