"""The studio behind the pages: ledger, orders, poller, archive. Nothing here imports a web server.

The studio
    service         `Studio`: puts the parts together; pages reach everything through it
    changes         tells pages what has changed
    notices         notices when what banners say has changed
    operator_warnings  faults that an operator should know of
    settings        where keys, addresses and folders come from
    connection      the account in use: Kling, or the sandbox started here
    connection_check  a free check of the account
    folder          the data folder, which one process owns
    files           files that are written whole or not at all
    ids             our ids, and the folder's mark in them

What is known of jobs
    jobs/           one job: its columns, its states, its record, and the fold from records to a job
    ledger/         where jobs are recorded: the protocol, the file, the index, what is recorded again
    evidence        what this process knows of its own calls, and what they prove about money
    accounts        which account names in the log belong to the account in use
    account_scan    tasks that Kling has and the log lacks or denies
    job_explanation  what an open job waits for, and who has to act
    remedies        what a person can do about a job that failed
    durations       how long tasks take

From a press to a task, never twice
    orders          checks requests, recognises a second press, records jobs before anything is sent
    admission       which jobs may go now: decided with the four below
      capacity      how many tasks of a model Kling runs at once
      holds         reasons to send nothing for a while
      fairness      whose turn it is
      queue_position  the position of a job in the queue, in words
    sender          makes the one POST and records its outcome
    reconciler      looks up jobs that may have been sent
    poller          follows every unfinished job

From a task to a clip
    downloads       fetches videos, and fetches broken ones again
      download_queue  in which order
      clip_rechecks  decodes each file once to its end
    archive         our own copies
    video_check     examines files in a child process
    clip_verification  compares files and charges with the requests

What is found again
    library/        the index beside the log: questions, sums, export and import
    library_actions  what people do there; `curation` and `deletion` are parts of it

What is written before that
    state/          drafts, the team's templates and ids of browsers, in one small database
    prompting/      the form's draft, templates, variations, camera words, storyboards, import and export
"""
