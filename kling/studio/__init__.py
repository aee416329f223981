"""What the pages call: the log, orders, the poller, the archive. No Streamlit in here.

The studio
    service         all of it, as the one object that the pages know: `Studio`
    settings        where keys, addresses and folders come from
    connection      the account that is used: Kling, or the sandbox started here
    folder          the data folder, which one process owns
    files           files that are written whole or not at all
    ids             our ids, and the folder's mark in them

What is known of jobs
    jobs            one job: its states, and how it is folded from records
    ledger/         where jobs are recorded: the protocol, the file, the index, what is recorded again
    evidence        what this process knows of its own calls, and what may be said of money
    accounts        which names in the log are the account in use
    account_scan    what Kling has and the log lacks or denies
    outlook         what an open job waits for, and who has to act
    remedies        what a person can do about one that failed
    durations       how long tasks take

From a press to a task, never twice
    orders          checks, recognises a second press, writes before anything is sent
    admission       which jobs may go now: from the four below
      capacity      how many of a model Kling takes at once
      holds         what keeps jobs from being sent
      fairness      whose turn it is
      queue_position  where a job stands, in words
    sender          the one POST, and what came of it
    reconciler      looks up what may have been sent
    poller          follows every unfinished job

From a task to a clip
    downloads       fetches videos, and fetches broken ones again
    archive         our own copies
    video_check     looks at files in a child process
    verification    what came, against what was ordered

What is written before that
    state/          drafts, the team's templates and ids of browsers, in one small database
    prompting/      the form's draft, templates, variations, camera words, storyboards, import and export
"""
