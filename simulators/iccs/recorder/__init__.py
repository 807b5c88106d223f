"""The recorder: every leg of telephony and radio, by who spoke on it; kept twice, found, replayed, exported, weeded."""
