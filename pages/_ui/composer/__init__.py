"""The form, in parts: `draft_state` has the draft in it, the other modules draw it."""
