"""Voicemail: mailboxes, leaving and hearing messages, and the lamps that tell of them."""
