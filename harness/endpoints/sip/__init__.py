"""SIP over the harness's transports: the transaction layer and the user agent."""
