"""A local service that speaks Kling's API and draws real MP4s: `python -m kling.sandbox --help`.

The API:
    contract/     what the documentation says, as data: schemas, models, rules, error codes
    rules.py      whether a body is a request that the API takes
    auth.py       API key and JWT
    engine.py     one step from (state, request, now) to an answer
    bodies.py     what answers and callbacks say
    store.py      the state: tasks, in SQLite
    pace.py       how fast tasks go

The service:
    options.py    of the program
    server.py     the door: HTTP around the engine, clips with Range
    clips.py      where clips lie, and the processes that draw them
    worker.py     such a process: draws an order (order.py) with draw/ or tiny.py
    callbacks.py  who is told what, signed
    loopback.py   which hosts and pages are answered

For tests and for people who want to see what goes wrong:
    control.py    the control plane under /_sandbox/
    plans.py      paces, outcomes and faults of the next calls
    body_faults.py  answers that say something else than is documented
    faults.py     answers that are late, cut, garbled or not the API's
    proxy.py      a TCP proxy for the faults that need a raw socket
"""
