"""The stage of Compose: the clip that was made last or chosen, and the strip below it.

stage        both of them
chosen       words and buttons of what stands on the stage
explanation  what is said of a job that has no clip
facts        what the script is told of jobs
cards        which cards stand on the strip
first_run    six templates to begin with
remix        takes a job into the form
"""
