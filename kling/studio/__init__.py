"""What the pages call: the log, submission, the poller, the archive. No Streamlit in here.

settings    where keys, addresses and folders come from
csvlog      the file format of history.csv: one record a line, guarded, repaired
ledger      the log as tasks: what each one is now
connection  the account that is used: Kling, or the sandbox started here
submit      from a wish to a task, never twice
poller     follows every unfinished task of the account
archive     fetches, checks and keeps the videos
studio      all of it, as the one object that the pages know
"""
