"""The TETRA network simulator: talkgroups, floor, messages, and terminals that are driven over PEI serial lines."""
