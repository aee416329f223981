"""A local service that speaks Kling's API and draws real MP4s: `python -m kling.sandbox --help`.

The API:
    contract/       what the documentation says, as data: schemas, models, rules, error codes
    rules.py        checks the body of a create call
    auth.py         checks the API key or the JWT
    engine.py       one step from (state, request, now) to an answer
    account.py      the resource pack
    responses.py    the JSON of answers and callbacks
    store.py        the state: tasks, in SQLite (schema.py)
    pace.py         how fast tasks go
    settings.py     how the sandbox behaves

The service:
    options.py      the options of the program
    app.py          the web application: HTTP around the engine, clips with Range
    clips.py        the folder of the clips
    render_queue.py which clip is drawn next, and the processes that draw
    worker.py       such a process: draws a RenderSpec (render_spec.py) by renderer/ or placeholder_clip.py
    callbacks.py    sends callbacks, and signs them
    loopback.py     which hosts and web pages are answered

For tests, and for people who want to see what goes wrong:
    control.py      the control plane under /_sandbox/
    plans.py        paces, outcomes and faults of the next calls
    body_faults.py  answers whose JSON differs from the documentation
    faults.py       answers that are late, cut, garbled or not the API's
    proxy.py        a TCP proxy for the faults that need a raw socket
"""
