"""What a part of a page writes for the script that announces jobs and counts their time."""

from __future__ import annotations

import time

from kling.studio.jobs import FOLLOWED, Job
from pages._ui.escape import escape_attribute
from pages._ui.format import prompt_of

LONGEST_NAME = 40  # characters of a prompt in the title of a tab


def job_mark(job: Job, say: str, *, is_own: bool = False) -> str:
    """Return hidden HTML that tells the script of a job's state.

    Args:
        job: the job.
        say: what a screen reader says once the job has this state.
        is_own: this session ordered it, so the title of the tab counts its time, and says when it is done.
    """
    facts = {"task": job.id, "state": job.state, "say": say}
    if is_own:
        facts |= {"own": short_name(job), "age": str(int(time.time() * 1000) - began(job))}
    written = " ".join(f'data-{name}="{escape_attribute(fact)}"' for name, fact in facts.items())
    return f"<i hidden {written}></i>"


def began(job: Job) -> int:
    """Return since when a job is made, in milliseconds: the usual times count from Kling's acceptance."""
    accepted = [job.since[each] for each in FOLLOWED if each in job.since]
    return int(min(accepted, default=job.ordered_at).timestamp() * 1000)


def short_name(job: Job) -> str:
    """Return the first words of a job's prompt, for a title."""
    line = " ".join(prompt_of(job).split())
    if len(line) > LONGEST_NAME:
        line = line[: LONGEST_NAME + 1].rpartition(" ")[0] or line[:LONGEST_NAME]
    return line.rstrip(",.;:–—- ")
