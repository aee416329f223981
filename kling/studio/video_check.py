"""Examines video files in a child process, with limits of memory and time and without the studio's secrets.

A file from outside can make a decoder take gigabytes, run for minutes or crash. So the studio never decodes
one itself: `ChildChecker` starts this file as a program, which prints one JSON object:

    python -m kling.studio.video_check FILE POSTER    the file's facts, and one frame of it as a JPEG
    python -m kling.studio.video_check --all FILE     whether every frame can be decoded, at low priority

The program imports nothing of the studio, so that it can be run by its path.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

MEMORY = 2**30  # bytes of address space; decoding 4k with one thread takes less than half of it
MOST_PIXELS = 8192 * 4320  # of a frame; a larger one is not decoded
POSTER_WIDTH = 640  # pixels, of the longer side
POSTER_AT = 1.0  # seconds: the frame that becomes the poster, or the middle of a shorter clip
POSTER_TRIES = 100  # packets without a frame after which no poster is made
PROBE_SECONDS = 30  # of CPU and of wall time
DECODE_SECONDS = 900
BROKEN_SHARE = 0.01  # of the frames; a file is broken if more of them cannot be decoded
MISSING_SHARE = 0.1  # of the frames; so many may be missing, because edit lists hide frames that are counted
GRACE = 5  # seconds that a child has to end by its own limits before it is killed
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "SYSTEMROOT")

Outcome = Literal["ok", "broken", "unchecked"]


class CheckInterrupted(Exception):
    """The studio stops, and the examination of a file was broken off without a result."""


@dataclass(frozen=True, slots=True)
class Probe:
    """The facts of a file, and whether a frame of it could be decoded.

    Args:
        facts: width, height, fps, seconds, audio; empty if the file could not be opened.
        problem: why no frame of it could be decoded, in words; empty if one was, which is the poster.
        beyond_us: whether the cause is this machine (no decoder, too large, too slow); the file may be good.
    """

    facts: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    beyond_us: bool = False


@dataclass(frozen=True, slots=True)
class Decoded:
    """The outcome of decoding a file to its end.

    Args:
        outcome: `unchecked` if this machine cannot tell.
        good: the share of its frames that could be decoded, 0 to 1.
        problem: what is wrong with it, or why it could not be checked, in words.
    """

    outcome: Outcome
    good: float = 0.0
    problem: str = ""


class VideoChecker(Protocol):
    """Examines files for the archive."""

    def probe(self, video: Path, poster: Path) -> Probe:
        """Return the facts of a file; if there is no problem, write one frame of it as a JPEG."""
        ...

    def decode(self, video: Path) -> Decoded:
        """Decode a file to its end."""
        ...

    def stop(self) -> None:
        """Interrupt every examination."""
        ...


# -- in the studio's process ---------------------------------------------------------------------------------


class ChildChecker:
    """Examines each file in a child process of its own; one probe and one decoding run at a time.

    Args:
        memory: bytes of address space that a child may have.
        probe_seconds, decode_seconds: seconds of CPU and of wall time that a child may take.
    """

    def __init__(
        self,
        *,
        memory: int = MEMORY,
        probe_seconds: int = PROBE_SECONDS,
        decode_seconds: int = DECODE_SECONDS,
    ) -> None:
        self._memory, self._probe_seconds, self._decode_seconds = memory, probe_seconds, decode_seconds
        self._probing, self._decoding = threading.Lock(), threading.Lock()
        self._lock = threading.Lock()
        self._children: set[subprocess.Popen[bytes]] = set()
        self._stopping = threading.Event()

    def probe(self, video: Path, poster: Path) -> Probe:
        """Return the facts of a file; see `VideoChecker`."""
        with self._probing:
            answer, problem = self._ask(self._probe_seconds, str(video.absolute()), str(poster.absolute()))
        if problem:
            return Probe(problem=problem, beyond_us=True)
        beyond_us = answer.get("beyond_us") is True
        return Probe(_facts(answer.get("facts")), str(answer.get("problem", "")), beyond_us)

    def decode(self, video: Path) -> Decoded:
        """Decode a file to its end; see `VideoChecker`."""
        with self._decoding:
            answer, problem = self._ask(self._decode_seconds, "--all", str(video.absolute()))
        outcome, good = answer.get("outcome"), answer.get("good")
        if problem or outcome not in {"ok", "broken"} or not isinstance(good, int | float):
            return Decoded("unchecked", problem=problem or str(answer.get("problem", "")))
        return Decoded(outcome, float(good), str(answer.get("problem", "")))

    def stop(self) -> None:
        """Kill every child; the caller that waits for one gets a `CheckInterrupted`."""
        with self._lock:
            self._stopping.set()
            for child in self._children:
                child.kill()

    def _ask(self, seconds: int, *arguments: str) -> tuple[Mapping[str, Any], str]:
        """Return the answer of a child that is started with these arguments, or why there is none."""
        limits = ("--memory", str(self._memory), "--seconds", str(seconds))
        with self._lock:
            if self._stopping.is_set():
                raise CheckInterrupted
            child = subprocess.Popen(
                [sys.executable, "-P", __file__, *limits, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            )
            self._children.add(child)
        try:
            output, _ = child.communicate(timeout=seconds + GRACE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            output = b""
        finally:
            with self._lock:
                self._children.discard(child)
        if self._stopping.is_set() and child.returncode:
            raise CheckInterrupted
        try:
            answer = json.loads(output)
        except ValueError:
            answer = None
        if child.returncode or not isinstance(answer, dict):
            return {}, "Decoding it takes more memory or time than this studio allows, or ends the decoder."
        return answer, ""


def _facts(value: Any) -> Mapping[str, Any]:
    """Return the facts of a child's answer that have the expected types."""
    types = {"width": int, "height": int, "fps": int | float, "seconds": int | float, "audio": bool}
    found = value if isinstance(value, dict) else {}
    return {name: found[name] for name, kind in types.items() if isinstance(found.get(name), kind)}


# -- in the child --------------------------------------------------------------------------------------------


def probe_file(video: Path, poster: Path) -> Probe:
    """Return the facts of a file, and write one of its frames as a JPEG. The caller has to set limits."""
    import av

    facts: dict[str, Any] = {}
    try:
        with _open(video) as container:
            stream = container.streams.video[0]
            seconds = (container.duration or 0) / 1_000_000
            facts["audio"] = bool(container.streams.audio)
            if seconds > 0:
                facts["seconds"] = round(seconds, 3)
            if stream.codec_context is None:
                return Probe(facts, "This machine has no decoder for its format.", beyond_us=True)
            rate = float(stream.average_rate or 0)
            facts |= {"width": stream.width, "height": stream.height, "fps": round(rate, 3)}
            if not 0 < stream.width * stream.height <= MOST_PIXELS:
                facts = {name: fact for name, fact in facts.items() if name == "audio" or fact}
                return Probe(facts, "Its frames are larger than this studio decodes.", beyond_us=True)
            _use_one_thread(stream)
            for at in (min(POSTER_AT, seconds / 2), 0):
                if (frame := _frame_at(container, stream, at)) is not None:
                    _save(frame, poster)
                    return Probe(facts)
    except _beyond_us() as error:
        return Probe(facts, f"This machine cannot decode it: {_kind(error)}.", beyond_us=True)
    except (av.error.FFmpegError, IndexError, ValueError, OSError) as error:
        return Probe(facts, f"It cannot be decoded: {_kind(error)}.")
    return Probe(facts, "No frame of it can be decoded.")


def decode_all(video: Path) -> Decoded:
    """Decode every frame of a file. The caller has to set limits."""
    import av

    try:
        with _open(video) as container:
            sound = [stream for stream in container.streams.audio if stream.codec_context is not None]
            streams = [container.streams.video[0], *sound]
            if streams[0].codec_context is None:
                return Decoded("unchecked", problem="This machine has no decoder for its format.")
            if not 0 < streams[0].width * streams[0].height <= MOST_PIXELS:
                return Decoded("unchecked", problem="Its frames are larger than this studio decodes.")
            _use_one_thread(streams[0])
            return _judge(*_count(container, streams), streams[0].frames)
    except _beyond_us() as error:
        return Decoded("unchecked", problem=f"This machine cannot decode it: {_kind(error)}.")
    except (av.error.FFmpegError, IndexError, ValueError, OSError) as error:
        return Decoded("broken", problem=f"It cannot be decoded: {_kind(error)}.")


def _count(container: Any, streams: Sequence[Any]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Return how many packets, frames, and damaged packets or frames there are, by kind of stream."""
    import av

    packets, frames, damaged = Counter[str](), Counter[str](), Counter[str]()
    for packet in container.demux(streams):
        kind = packet.stream.type
        packets[kind] += packet.dts is not None or packet.size > 0  # the last one of a stream only flushes
        try:
            for frame in packet.decode():
                frames[kind] += 1
                damaged[kind] += bool(frame.is_corrupt)
        except _beyond_us():
            raise
        except (av.error.FFmpegError, ValueError):
            damaged[kind] += 1
    return packets, frames, damaged


def _judge(
    packets: Mapping[str, int], frames: Mapping[str, int], damaged: Mapping[str, int], promised: int
) -> Decoded:
    """Return the outcome; `promised` is how many frames the header counts."""
    expected = max(packets["video"], promised, 1)
    missing = expected - packets["video"]
    bad = damaged["video"] + (missing if missing > MISSING_SHARE * expected else 0)
    if not frames["video"]:
        return Decoded("broken", problem="No frame of it can be decoded.")
    good = max(1 - bad / expected, 0.0)
    if good < 1 - BROKEN_SHARE:
        return Decoded("broken", good, f"{bad:,} of its {expected:,} frames cannot be decoded.")
    if damaged["audio"] > BROKEN_SHARE * packets["audio"]:
        return Decoded("broken", good * (1 - BROKEN_SHARE), "A part of its sound cannot be decoded.")
    return Decoded("ok", good)


def _open(video: Path) -> Any:
    import av

    # The options also reach the decoders that look for the streams' facts. No file makes us open another one.
    options = {"max_pixels": str(MOST_PIXELS), "protocol_whitelist": "file"}
    return av.open(str(video), format="mp4", options=options)


def _use_one_thread(stream: Any) -> None:
    stream.codec_context.thread_count = 1  # each further thread keeps frames of its own in memory
    stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}


def _frame_at(container: Any, stream: Any, at: float) -> Any:
    import av

    with contextlib.suppress(av.error.InvalidDataError, av.error.PermissionError):
        container.seek(int(at * 1_000_000))
    for number, packet in enumerate(container.demux(stream)):
        with contextlib.suppress(av.error.InvalidDataError):
            for frame in packet.decode():
                return frame
        if number >= POSTER_TRIES:
            break
    return None


def _save(frame: Any, poster: Path) -> None:
    shrink = min(1.0, POSTER_WIDTH / max(frame.width, frame.height))
    width, height = (max(round(side * shrink), 1) for side in (frame.width, frame.height))
    frame.reformat(width, height, "rgb24").to_image().save(poster, "JPEG", quality=82)


def _beyond_us() -> tuple[type[Exception], ...]:
    import av

    return (
        MemoryError,
        av.error.MemoryError,
        av.error.PatchWelcomeError,
        av.error.DecoderNotFoundError,
        av.error.NotImplementedError,
        av.error.ArgumentError,  # frames that turn out to be larger than the header says
    )


def _kind(error: Exception) -> str:
    if isinstance(error, IndexError):
        return "there is no video in it"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text)[:100].rstrip(".").lower()


def _limit(memory: int, seconds: int) -> None:
    """Limit this process: the system ends it when it exceeds a limit, even if its parent has gone."""
    import resource

    wanted = {"RLIMIT_AS": memory, "RLIMIT_CPU": seconds, "RLIMIT_CORE": 0, "RLIMIT_FSIZE": 16 * 2**20}
    for name, limit in wanted.items():
        with contextlib.suppress(OSError, ValueError):  # not every system has each of them
            _, hard = resource.getrlimit(getattr(resource, name))
            limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)  # noqa: PLW2901
            resource.setrlimit(getattr(resource, name), (limit, limit))
    signal.alarm(seconds)
    # If the machine runs out of memory, the system kills this process first.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def main(arguments: Sequence[str]) -> None:
    """Print the facts of a file, or whether it can be decoded, as JSON."""
    parser = argparse.ArgumentParser(prog="python -m kling.studio.video_check", description=main.__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("poster", type=Path, nargs="?", help="where a frame goes, as a JPEG")
    parser.add_argument("--all", action="store_true", help="decode all of it")
    parser.add_argument("--memory", type=int, default=MEMORY, help="bytes of address space")
    parser.add_argument("--seconds", type=int, help="of CPU and of wall time")
    chosen = parser.parse_args(arguments)
    if not chosen.all and chosen.poster is None:
        parser.error("name where the poster goes, or give --all")
    _limit(chosen.memory, chosen.seconds or (DECODE_SECONDS if chosen.all else PROBE_SECONDS))
    if chosen.all:
        os.nice(19)
    answer = asdict(decode_all(chosen.file) if chosen.all else probe_file(chosen.file, chosen.poster))
    print(json.dumps(_finite(answer)))  # noqa: T201 - the answer


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(entry) for name, entry in value.items()}
    return 0 if isinstance(value, float) and not math.isfinite(value) else value


if __name__ == "__main__":
    main(sys.argv[1:])
