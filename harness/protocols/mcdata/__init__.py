"""Mission critical data (3GPP): short data and what became of it, in the bodies of SIP MESSAGEs (TS 24.282)."""
