"""What the ICCS tells workforce management: advisers' states and queues' figures by intervals, by REST and by file."""

from simulators.iccs.feeds.feeds import Feeds, GoneError, Page

__all__ = ["Feeds", "GoneError", "Page"]
