"""The emergency network simulator: operators, routes, Silent Solution, held circuits, text calls, spates, records."""
