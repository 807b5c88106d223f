"""A simulated Webex: its REST API, webhooks and OAuth, as developer.webex.com describes them."""
