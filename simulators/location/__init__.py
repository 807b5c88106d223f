"""The caller-location simulator: subscribers, cells and handsets, AML intake, and links to control rooms."""
