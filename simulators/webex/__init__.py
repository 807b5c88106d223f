"""A simulated Webex: its REST API, webhooks and OAuth, as developer.webex.com describes them."""

from simulators.webex.settings import WebexSettings
from simulators.webex.simulator import WebexSimulator

__all__ = ["WebexSettings", "WebexSimulator"]
