"""Scenarios: one file that engineers run, champions replay by hand and governance reads (docs/scenarios.md).

`load.load_scenario` reads a file, `player.Player` plays it on a bench, `verbs.VERBS` is what its actors can do.
"""
