"""Workforce management in Calabrio's place: takes the ICCS's feeds, forecasts, staffs, tells adherence."""
