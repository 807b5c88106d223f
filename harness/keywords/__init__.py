"""Robot Framework libraries."""
