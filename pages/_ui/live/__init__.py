"""Parts of a page that are drawn again when something that concerns them changes.

fragment   `live_fragment` draws such a part, `part_of_page` one that is drawn again for its own widgets only;
           `page_is_old_when` is how a page says when all of it has to run
marks      what a part writes into the page for the script: states of jobs
timing     how long the script waits for what; also for the benchmark that behaves as it does
script     the script as a component

hub.js       one for each tab: a timer, and what has been told
socket.js    the socket that tells of changes (routes/live.py), and the words while the server is away
parts.js     when which part asks to be drawn again
announce.js  what is read out, and the sound
progress.js  elapsed seconds, the title of the tab, and the desktop notification
"""

from pages._ui.live.fragment import EVERY_JOB, live_fragment, page_is_old_when, part_of_page

__all__ = ["EVERY_JOB", "live_fragment", "page_is_old_when", "part_of_page"]
