"""What was spent: one period, added up by person, model and so on. pandas and Altair are loaded here only."""
