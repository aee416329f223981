"""A local service that speaks Kling's API and draws real MP4s: `python -m kling.sandbox --help`.

contract/   what the documentation says, as data: schemas, models, rules, error codes
rules.py    whether a body is a request that the API takes
auth.py     API key and JWT
engine.py   one step from (state, request, now) to an answer
store.py    the state: tasks, in SQLite
clips.py    where clips lie, and the processes that draw them (worker.py, draw/, tiny.py)
server.py   the door: HTTP around the engine, clips with Range
"""
