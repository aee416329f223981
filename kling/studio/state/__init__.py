"""The small state that people share, in one database beside the log: drafts, people, limits and the like.

    shared            opens the database in the background; everything in it is asked for here
    opened            the database and everything in it, put together
    records           what is kept, as values; the limits and the errors
    faults            what can be wrong with the file of the database, in words
    browsers          ids of browsers that only this studio can make
    secret            the secret that signs them
    drafts            drafts of requests, each with the browser that owns it
    team_templates    whole requests that the team has saved under a name
    clip_collections  clips that people have put together
    limits            the limits of budgets
    database          connections, transactions, backup; what is particular to SQLite
    tables            the tables as they are now
    migrations        how older databases become that
    old_folders       takes in the files in which versions before 2026-11-27 kept drafts and templates
    stored_rows       reads a database as it is, also an older one or a copy
    erasing           takes a person's words and name out, while no studio runs
    holdings          what lay in the database last, so that one that was deleted is missed

SQLAlchemy takes 0.3 s to import, so `shared`, `records`, `faults` and `browsers` do without it.
"""
