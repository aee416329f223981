"""The craft of prompting, below the pages: pure functions of texts and requests.

expand      variables and alternatives in a prompt
variables   the values of variables as people write them
combine     every combination of prompts, models, modes, durations and ratios, as priced rows
guide       a prompt in the parts that Kling recommends, and back
templates   starting prompts and styles that come with the studio
saved       the team's own templates
camera      a camera move as plain words, and back
storyboard  the arithmetic of shots and seconds, and the one-line form of a storyboard
export      the request as JSON, cURL and Python
pasted      JSON or cURL as a request
shell       the words of a pasted command
compare     the difference of two texts, word by word
previews    free little clips of a move or a cut
"""
