"""The studio behind the pages: ledger, orders, poller, archive. Nothing here imports a web server.

The studio:
    service            `Studio`: puts the parts together; pages reach everything through it
    changes            tells pages what has changed
    notices            notices when what banners say has changed
    operator_warnings  faults that an operator should know of
    connection         the account in use: Kling, or the sandbox started here
    connection_check   a free check of the account
    folder             the data folder, which one process owns
    files              whose the files of the studio are, and the room that they leave
    ids                our ids, and the folder's mark in them

What people do:
    identity/        who they are, how they proved it, and what each may do
    actions          everything that a person can change: it asks the roles, and the audit notes it
    draft_actions, order_actions  its parts before an order, and until Kling has it
    library_actions, gallery_actions  its parts for single clips, and for clips that belong together
    admin_actions    its part for admins
    actions_base     on which they stand: who acts, whose a job is, the audit
    parts            what these need of a studio
    audit            who did what and when
    whose            whose a thing is
    visible_names    names of people, as they are shown and compared

What is known of jobs:
    jobs/            one job: its columns, its states, its record, and the fold from records to a job
    ledger/          where jobs are recorded: the protocol, the file, the index, what is recorded again
    evidence         what this process knows of its own calls, and what they prove about money
    accounts         which account names in the log belong to the account in use
    account_scan     tasks that Kling has and the log lacks or denies
    job_explanation  what an open job waits for, and who has to act
    remedies         what a person can do about a job that failed
    durations        how long tasks take

From a press to a task, never twice:
    orders          checks requests, recognises a second press, records jobs before anything is sent
    admission       which jobs may go now: decided with the four below
    capacity        how many tasks of a model Kling runs at once
    holds           reasons to send nothing for a while
    fairness        whose turn it is
    queue_position  the position of a job in the queue, in words
    sender          makes the one POST and records its outcome
    reconciler      looks up jobs that may have been sent
    poller          follows every unfinished job

From a task to a clip:
    downloads          fetches videos, and fetches broken ones again
    download_queue     in which order
    clip_rechecks      decodes each file once to its end
    archive            our own copies
    video_check        examines files in a child process
    clip_verification  compares files and charges with the requests

What it costs:
    budgets        what may be spent at most, asked in one step with an order
    budget_limits  what a limit is, how far it is used, and the refusal
    spending       sums over the log, by account, person, day and month
    spent          what somebody has used: reserved and settled
    amounts        Units, money and numbers in words
    account_books  Kling's books beside ours
    account_packs  what remains of the account's packs

What is made of clips:
    library/        the index beside the log: questions, sums, export and import
    curation        stars, ratings, tags, notes, what is hidden
    deletion        deletes the files of jobs for good
    films/          clips that go on with one another, as one file
    sound           sound for a video that was made silent
    take_away/      copies of clips that tell what they are
    shares          links to clips
    share_views     what a link shows at this moment
    share_settings  who may see it, and for how long

What is written before an order:
    state/      what people share in one small database: drafts, templates, people, limits
    prompting/  the form's draft, templates, variations, camera words, storyboards, import and export
    assistant/  the prompt assistant
    pictures/   what a video begins or ends with
    uploads     files that people hand in, while they arrive
    printable   texts of others, as plain text that a page can show

For its operator:
    settings           where keys, addresses and folders come from
    given_values       settings as they were written, and the keys among them
    sign_in_settings   ways in, roles, how long a session lasts
    running_settings   log output and figures
    server_options     where the server listens
    time_zone          whose days and months budgets count
    commands/          `python -m kling.studio …`
    doctor/            what is wrong with a set-up, and what to do
    backup, restoring  a copy of the data folder, and the way back
    erasure            takes out a person or a job
    sandbox_store      the same in the store of the studio's own sandbox
    health             whether the studio works, in one word
    metrics            its figures for Prometheus
    logs               what it writes to standard error
    systemd            tells systemd that it lives
    limited_child      runs a program in a child, with limits
    child_environment  what such a program is told, and no secret
"""
