"""A studio under load, as a process of its own: it orders and keeps drafts until its standard input ends.

python -m tests.studio.loaded DATA URL
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from kling import KeyPair, TextToVideo
from kling.sandbox.auth import ACCESS_KEY, SECRET_KEY
from kling.studio import archive, poller
from kling.studio.orders import Press
from kling.studio.service import Studio
from kling.studio.settings import Settings
from tests.studio.clips import WordChecker

MOST = 400  # jobs; more wait than a slow machine can follow


def main(data: str, url: str) -> None:
    poller.KLING_PACE = (0.05, 0.1)
    setattr(archive, "ChildChecker", WordChecker)  # noqa: B010 - it is imported there
    studio = Studio(Settings(credentials=KeyPair(ACCESS_KEY, SECRET_KEY), base_url=url, data_dir=Path(data)))
    studio.start()
    ended = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    for number in range(MOST):
        if ended.is_set():
            break
        request = TextToVideo(prompt=f"number {number}")
        studio.order_all([request], Press(person="loader", session=f"s{number}"))
        studio.state.drafts.save(f"{number:020x}", "b" * 32, fields={"prompt": f"draft {number}"})
        if number == 5:
            sys.stdout.write("loaded\n")
            sys.stdout.flush()
    ended.wait()
    studio.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
