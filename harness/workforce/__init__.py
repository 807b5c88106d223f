"""Workforce management's arithmetic, pure: waiting lines, staffing, forecasts, adherence, intervals of 15 minutes."""
