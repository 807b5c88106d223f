"""How the ICCS reaches its talkgroups: one way a technology, each of which looks to the radio desk like the others."""
