"""The interworking gateway simulator: TETRA talkgroups and MCPTT groups joined, as while both networks are in use."""
