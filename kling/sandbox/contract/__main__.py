"""`python -m kling.sandbox.contract`: print README's chapter on how the sandbox differs from Kling."""

from __future__ import annotations

import sys

from kling.sandbox.contract import chapter

if __name__ == "__main__":
    sys.stdout.write(chapter())
