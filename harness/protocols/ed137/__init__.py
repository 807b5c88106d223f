"""Radio over IP (EUROCAE ED-137): the RTP header extension, its negotiation in SDP, and one radio session's state."""
