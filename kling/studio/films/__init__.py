"""Films: clips, each of which begins with the last frame of the one before, as one file.

chains      which jobs make a film
join_clips  the child that joins clips into one file
store       joins films in the background, and keeps them while they are asked for
settings    what a film carries of its parts, and how that is read again
"""
