"""Each module is one change of the layout."""
