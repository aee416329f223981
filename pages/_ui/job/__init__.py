"""The page of one job.

page      all of it, from the parts below
top       the way back, its neighbours, and what can be done with it
picture   the clip, or why there is none
frames    what it was ordered to begin and to end with
film      the film that it is a part of
after     what can come after it: another clip, and sound
came      what was ordered and what came
happened  from the order to the file, with times
opinions  what people say of it
request   the request and every answer, folded
family    where it comes from and what was made of it, as a tree
tree      the jobs of that tree
changes   what changed from one of them to another
settings  what a job was ordered with, in words
records   who recorded something of it, and when
moments   times as the page writes them
keys      keys and links
address   the job's id, and where somebody came from
"""
