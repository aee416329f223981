"""The words of every page: how it calls what the API and the log call otherwise.

The log, the exported file and the API keep their own names; only what people read is here. Each word has one
place, so that a page never says the same thing in two ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from kling.catalog import Model
from kling.video_to_audio import MODEL as SOUND_MODEL

Colour = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray"]

# The states of the log: the word for a person, a Material icon, and a colour of the theme. What is normal is
# quiet: only what is being made, what is held and what was refused have a colour.
STATES: Mapping[str, tuple[str, str, Colour]] = {
    "waiting": ("Waiting", "schedule", "yellow"),
    "intent": ("Sending", "upload", "violet"),
    "submitted": ("Queued at Kling", "hourglass_top", "violet"),
    "processing": ("Being made", "animation", "violet"),
    "succeed": ("Done", "check", "gray"),
    "failed": ("Failed", "error", "red"),
    "unknown": ("Being looked up", "search", "orange"),
    "not_sent": ("Not sent", "pause_circle", "orange"),
    "withdrawn": ("Cancelled", "undo", "gray"),
}
HELD: tuple[str, str, Colour] = ("Held", "pause_circle", "orange")  # waits until somebody acts on the account
GIVEN_UP: tuple[str, str, Colour] = ("Given up", "help", "orange")

# Fields of a request and of a task, by the API's names.
FIELDS: Mapping[str, str] = {
    "prompt": "Prompt",
    "negative_prompt": "Negative prompt",
    "sound_effect_prompt": "Sounds",
    "bgm_prompt": "Music",
    "model_name": "Model",
    "mode": "Quality",
    "duration": "Length",
    "aspect_ratio": "Shape",
    "sound": "Sound",
    "cfg_scale": "Prompt strength",
    "camera_control": "Camera",
    "multi_shot": "Shots",
    "watermark_info": "Watermark",
    "callback_url": "Callback address",
    "take": "Take",
    "person": "Person",
    "account": "Account",
    "external_task_id": "Id for support",
    "task_id": "Task at Kling",
    "video_id": "Video at Kling",
    "request_id": "Request at Kling",
    "code": "Kling’s code",
    "message": "Kling’s answer",
    "task_status_msg": "Kling’s reason",
    "fps": "Frame rate",
}

PANEL_AVOID = "Avoid"
SHEET_DONE = "Close"  # of a panel that is a sheet, on a phone
TAKES, TAKES_HELP = (
    "How many",
    "Takes: the same order several times, each paid for; no two turn out the same.",
)

GENERATE = "Generate"
CANCEL, CANCEL_ALL = "Cancel (nothing spent)", "Cancel all (nothing spent)"
CANCEL_REST = "Cancel what is not sent (nothing spent)"
REMIX = "Remix"
CONTINUE = "Continue"  # from the last frame of a clip
EDIT_AND_TRY_AGAIN = "Edit and try again"
FIX_MARKED = "Nothing was sent: fix the marked fields."
EXPORT_AS_CODE = "Export as code"
COMPARE_PROMPTS = "Compare prompts"
GENERATE_AGAIN = "Generate again"
ORDER_AGAIN = "Order again"  # the same on Compose, where one button begins with Generate

AUTOMATIC = "Automatic"  # what Kling decides, where the form leaves it open
CUSTOM_MOVE, AMOUNT = "Custom move", "Amount"
EQUAL_LENGTHS, AUTOMATIC_CUTS = "Equal lengths", "Automatic cuts"

NOT_A_MAKER = "Making clips takes the role maker. Ask an admin of the studio."
SANDBOX, NOTHING_CHARGED = "Sandbox", "nothing is charged"
SANDBOX_HELP = "No Kling key is set. Clips are free previews drawn on this machine, not Kling renders."
SANDBOX_CONNECT = (
    "**Connect to Kling:** set `KLINGAI_API_KEY`, or `KLINGAI_ACCESS_KEY` with `KLINGAI_SECRET_KEY`, in the "
    "environment or in `.streamlit/secrets.toml`, and start the studio again. Clips of the sandbox stay "
    "in History."
)
LOST, DELETED = "Lost", "Deleted"
FILE_DELETED = "The file was deleted"
IMPORTED = "Imported: it is in no sum"

_QUALITIES = {"std": "720p", "pro": "1080p", "4k": "4K"}


def field(name: str) -> str:
    """Return the word for a field of the API; the API's own name where there is none."""
    return FIELDS.get(name, name)


def quality(mode: str, model: Model | None = None) -> str:
    """Return what a picture of this mode measures, as `720p`.

    Args:
        mode: the API's name of it, such as `std`.
        model: if it is known, its own figure.
    """
    known = model.modes.get(mode) if model else None
    if known is not None and mode != "4k":
        return f"{known.short_side}p"
    return _QUALITIES.get(mode, mode)


def model_title(name: str, model: Model | None) -> str:
    """Return how people call a model, as `Kling 2.6`; the API's name where the catalog does not know it."""
    if name == SOUND_MODEL:
        return "Sound for a clip"
    return model.title if model else name
