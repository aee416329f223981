"""What the pages share. Always imported as `pages._ui`.

Pages and their parts:
    composer/           the form of Compose
    stage/              the clip beside the form, and the strip below it
    library/            the bar, the list and the export of History and Gallery
    wall/               pictures of clips in rows
    viewer/             the lightbox and Present
    compare/            several clips in step
    job/                the page of one job
    collections/        clips that people have put together
    sharing/            links to clips
    share/              the page of such a link
    spend/              what was spent
    admin/              the sections of Admin
    curation/           what people say and decide about clips
    sound/              the dialog of sound for a clip
    taking/             downloads that are under way
    account_comparison  tasks that the account has and the log does not
    batch_header        the jobs of one batch, in one line

Around and beneath them:
    frame/       the bar, the account menu, banners
    live/        parts that are drawn again when their facts change
    routes/      HTTP beside the pages
    scripts/     how components get their scripts
    style/       the style sheets
    panels       panels that are made only while they are open
    pagination   a long list in pages
    player       the video of a job
    copy_button  copies the code beside it
    first_page   what is imported while the first browser loads

Who uses a page, and what is decided:
    current_user   who uses the page
    people         a person beside what they did
    ask_name       asks for a name where nobody signs in
    signed_out     signing out, and the page after it
    context        the running studio
    session_state  what a session holds
    place_order    the only way to the queue
    decide         carries out what a button stands for
    job_actions    a button for each decision about a job

Words and addresses:
    words            how pages call what API and log call otherwise
    format           states, times, money and requests
    requests         what pages show of a request; only this module tells the endpoints apart
    job_status       the state of a job, and who has to act
    budget_words     what is used of the budgets
    charges          what Kling charged for a job
    template_titles  from which template a job was ordered
    clip_names       under which name a browser keeps a clip
    errors           an unexpected error, as a message
    escape           makes texts of other people harmless
    address          where the pages are, below their host
"""
