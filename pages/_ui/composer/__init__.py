"""The form, in parts: `draft_state` has the draft in it, the other modules draw it.

The draft:
    draft_state    the draft, from the widgets and back
    autosave       text that is being typed
    unsaved_draft  changes that could not be stored
    follow_ups     what a change brings along
    notice         says so, with the way back
    price_of       what a draft costs
    field_errors   each problem at its field

The parts, from above to below:
    toolbar     the two forms as tabs, and the ways to begin
    prompt      the prompt with its tools
    storyboard  shots in the place of the prompt
    guide       the prompt in the parts that Kling recommends
    assistant   the prompt assistant, and *Soften*
    foreign_syntax, pasted_code  say when a text is another tool's syntax, or code
    compare     the draft compared with an earlier prompt
    pictures    what the video begins and ends with
    frames      a frame of a clip as such a picture
    options     model, quality, length, shape and sound
    camera      the camera move
    advanced    fields that are asked for less often
    variations  each combination of alternatives and choices, with prices
    order       the button that orders

What fills the form:
    templates       starting prompts, styles, and what the team has saved
    team_templates  the team's shelf among them
    recent          what a person ordered before
    unordered       drafts that nothing was ordered from yet
    unsent          prompts that were written and never ordered
    import_export   JSON, cURL and Python
    dropping        a file that is dropped
    list_row, dialog_choice  a row, and a button that chooses, of these dialogs
"""
