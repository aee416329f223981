"""Tools for writing a request, below the pages: pure functions of texts and requests.

draft              what the form holds before it is a request
template_language  variables and alternatives in a prompt
alternatives       whether somebody meant alternatives by the braces of a text
foreign_syntax     weights, flags and wildcards of other tools, which Kling takes as plain words
variables          the values of variables as people write them
matrix             every combination of prompts, models, modes, durations and ratios, as priced rows
prompt_guide       a prompt in the parts that Kling recommends, and back
templates          starting prompts and styles that come with the studio; the team's own lie in `studio.state`
camera_words       a camera move as plain words, and back
storyboard         the arithmetic of shots and seconds, and the one-line form of a storyboard
shot_list          a storyboard out of the lists that people and programs write
shot_headings      where a shot begins in such a list
shot_table         shots out of tables and JSON
shot_times         the length of a shot as people write it
export_request     the request as JSON, cURL and Python
import_request     JSON or cURL as a request, also in a code block, a program or a gateway's wrapper
foreign_body       bodies of gateways and of Kling's newer API as the body of the create call
pasted             text from a clipboard: code blocks, and JSON as programs write it
shell              the words of a pasted command
differences        what differs between texts, as the alternatives that stand for them
batch              the draft that orders a whole batch again
words              what a request of any endpoint has in common with text to video
word_diff          the difference of two texts, word by word
previews           free little clips of a move or a cut
"""
