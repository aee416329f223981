"""Looks at a set-up and names what is wrong with it, each with the remedy. It changes nothing.

finding    what was found
here       settings, rights, data folder, disk, log, database
serving    where the server listens, and how people come in
outside    the clock, the proxy, Kling, the host of the files
assistant  the server of the prompt assistant
examine    all of them, in this order
"""
