"""A local service that speaks Kling's API and draws real MP4s: `python -m kling.sandbox --help`.

The API:
    contract/        what the documentation says, as data: schemas, models, rules, error codes
    calls            what a request asks for: its path, its method, its body
    bodies           reads a JSON body, and names the keys in it that nobody documents
    rules            checks the body of a create call of the older generation
    image_rules      what image to video has besides
    newer            checks the body of a create call of the newer generation
    storyboard       its storyboards, which are the text of a prompt
    pictures         pictures in a body
    audio            the video that is to get sound
    refusals         requests that are refused
    auth             checks the API key or the JWT
    engine           one step from (state, request, now) to an answer
    account          the resource pack
    task             one task
    task_list        the newer generation's /tasks
    responses        the JSON of answers
    newer_responses  the same of the newer generation
    callback_bodies  the JSON of callbacks
    store            the state, in SQLite
    schema           its tables, and how older files become them
    pace             how fast tasks go
    settings         how the sandbox behaves

The service:
    options           the options of the program
    app               the web application: HTTP around the engine, clips with Range
    clips             the folder of the clips
    render_queue      which clip is drawn next, and the processes that draw
    worker            such a process
    render_spec       what a clip has to look like: a RenderSpec
    renderer/         draws a RenderSpec as an animated scene
    placeholder_clip  or as one fading colour, in no time
    sound_files       the sound of a clip as MP3 and WAV
    callbacks         sends callbacks, and signs them
    loopback          which hosts and web pages are answered

For tests, and for people who want to see what goes wrong:
    control      the control plane under /_sandbox/
    plans        paces, outcomes and faults of the next calls
    body_faults  answers whose JSON differs from the documentation
    faults       answers that are late, cut, garbled or not the API's
    proxy        a TCP proxy for the faults that need a raw socket
"""
