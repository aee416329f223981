"""Commands of `python -m kling.studio`, one module each.

A module here is a command if it has `register(subparsers)`, which adds a parser of the module's name, and
sets its default `run` to what does the command and returns the exit code.

    doctor   what is wrong with this set-up, and what to do
    people   who may use the studio, also while it runs
    backup   a copy of the data folder, while the studio runs
    restore  puts one in the place of what is there, while the studio is stopped
    erase    words, pictures, names and clips go, while the studio is stopped

No commands:
    settings         the settings of the studio, read as its server reads them
    people_database  the people, opened beside a studio that may be running
"""
