"""What was spent: one period, added up by person, model and so on. pandas and Altair are loaded here only.

head    the period, what to add up by, and the export
period  the days of the address
facts   what stands on the page, asked once a run
sums    four sums
charts  two charts
groups  sums by person, model and so on
times   how long jobs waited and were made
books   our sum against Kling's
"""
