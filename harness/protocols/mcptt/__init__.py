"""Mission critical push to talk (3GPP): floor control in RTCP APP (TS 24.380), and mcptt-info in SIP (TS 24.379)."""
