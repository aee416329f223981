"""A local service that speaks Kling's API and draws real MP4s: `python -m kling.sandbox --help`.

The API:
    contract/       what the documentation says, as data: schemas, models, rules, error codes
    calls.py        what a request asks for: its path, its method, its body (bodies.py)
    rules.py        checks the body of a create call of the older generation (image_rules.py)
    newer.py        the same of the newer generation (storyboard.py)
    pictures.py     pictures in a body
    audio.py        the video that is to get sound
    refusals.py     requests that are refused
    auth.py         checks the API key or the JWT
    engine.py       one step from (state, request, now) to an answer
    account.py      the resource pack
    task_list.py    the newer generation's /tasks
    responses.py    the JSON of answers; newer_responses.py, callback_bodies.py
    store.py        the state: tasks (task.py), in SQLite (schema.py)
    pace.py         how fast tasks go
    settings.py     how the sandbox behaves

The service:
    options.py      the options of the program
    app.py          the web application: HTTP around the engine, clips with Range
    clips.py        the folder of the clips
    render_queue.py which clip is drawn next, and the processes that draw
    worker.py       such a process: draws a RenderSpec (render_spec.py) by renderer/ or placeholder_clip.py
    sound_files.py  the sound of a clip as MP3 and WAV
    callbacks.py    sends callbacks, and signs them
    loopback.py     which hosts and web pages are answered

For tests, and for people who want to see what goes wrong:
    control.py      the control plane under /_sandbox/
    plans.py        paces, outcomes and faults of the next calls
    body_faults.py  answers whose JSON differs from the documentation
    faults.py       answers that are late, cut, garbled or not the API's
    proxy.py        a TCP proxy for the faults that need a raw socket
"""
