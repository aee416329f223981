"""Joins clips into one MP4. Each one begins with the last frame of the clip before it.

It runs as a program in a child process with limits (`limited_child`), and imports nothing of the studio:

    join_clips.py OUT SHARE CLIP CLIP…    writes OUT, and prints what it is or why there is none, as JSON

SHARE is a file for the share that is done, 0 to 1; it is written again and again.

Pictures are copied bit by bit where all clips have the same form, else encoded once. Sound is always encoded
anew, because each clip's begins and ends with padding of the codec, which would be heard between two of them.

The frame that two clips share is seen once: the next clip begins at the time of the last frame before it. A
copy still has to hold both of these frames, as others are decoded by them, so the first one is there for the
shortest time that the file can say. Over that frame the sound passes from one clip to the next.
"""

from __future__ import annotations

import errno
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

MOST_PIXELS = 8192 * 4320  # of a frame
MOST_SECONDS = 120  # of one clip; Kling makes none of more than 15
RATES = tuple(map(Fraction, ("24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60")))
NEAR = Fraction(1, 100)  # of a rate
FASTEST = 240  # frames a second
EVERY = 0.5  # seconds between two notes of how much is done
RATE = 48_000  # samples a second of the sound
SOUND_BITS = 192_000  # a second
PASSING = Fraction(1, 50)  # seconds in which the sound passes from one clip to the next
FADE = 240  # samples of fade, so that a clip's sound starts and stops without a click
FINEST = 48_000  # parts of a second that the times of a film have at least
QUALITY = {"preset": "faster", "crf": "17", "threads": "2", "rc-lookahead": "6", "refs": "2"}
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})  # what a full disk is called
_UNSPECIFIED = 2  # of `AVCOL_SPC`
_HD = 720  # lines from which a clip that does not say so has the colours of BT.709


class CannotJoin(Exception):
    """These clips make no film; the text is a code for the studio."""


@dataclass(frozen=True, slots=True)
class Part:
    """A clip as it is joined.

    Args:
        path: of the file.
        form: all that has to be the same for a copy; None if it cannot be copied.
        width, height: in pixels.
        rate: frames a second.
        frames: how many.
        start: of its first frame, in seconds of the file.
        length: in seconds, with the last frame.
        has_sound: whether it has a track of it.
    """

    path: Path
    form: tuple[Any, ...] | None
    width: int
    height: int
    rate: Fraction
    frames: int
    start: Fraction
    length: Fraction
    has_sound: bool

    @property
    def step(self) -> Fraction:
        """How long a frame is seen, in seconds."""
        return 1 / self.rate


def join(
    clips: Sequence[Path], out: Path, report: Callable[[float], None] = lambda _share: None
) -> dict[str, Any]:
    """Join clips, and return what the film is. The caller has to set limits.

    Args:
        clips: at least one, in their order.
        out: to write.
        report: called for each picture with the share of them that is written, 0 to 1.

    Raises:
        CannotJoin: they make no film.
    """
    import av

    parts = [_look(clip) for clip in clips]
    is_copy = parts[0].form is not None and len({part.form for part in parts}) == 1
    starts = starts_of(parts)
    with av.open(str(out), "w", format="mp4", options={"movflags": "faststart"}) as film:
        pictures = _copied(film, parts, starts) if is_copy else _encoded(film, parts, starts)
        sound = (
            film.add_stream("aac", rate=RATE, layout="stereo") if any(p.has_sound for p in parts) else None
        )
        if sound:
            sound.bit_rate = SOUND_BITS
        heard = _sound(parts, starts) if sound else iter([None] * len(parts))
        at = done = 0
        expected = float((starts[-1] + parts[-1].length) * max(part.rate for part in parts))
        # The sound of a part goes first: the writer holds it back until its pictures come.
        for packets in pictures:
            piece = next(heard, None)
            if sound and piece is not None:
                for packet in _sound_packets(sound, piece, at):
                    film.mux(packet)
                at += piece.shape[1]
            for packet in packets:
                film.mux(packet)
                done += 1
                report(min(done / expected, 1.0))
        if sound:
            film.mux(sound.encode(None))
    ends = [start + part.length for start, part in zip(starts, parts, strict=True)]
    return {
        "copied": is_copy,
        "seconds": float(ends[-1]),
        "starts": [float(start) for start in starts],
        "width": max(part.width for part in parts),
        "height": max(part.height for part in parts),
        "sound": sound is not None,
    }


def starts_of(parts: Sequence[Part]) -> list[Fraction]:
    """Return when each part begins: at the time of the last frame before it."""
    starts = [Fraction(0)]
    for part in parts[:-1]:
        starts.append(starts[-1] + part.length - part.step)
    return starts


# -- looking at a clip ---------------------------------------------------------------------------------------


def _look(clip: Path) -> Part:
    """Return the facts of a clip, from its packets; nothing is decoded."""
    with _open(clip) as container:
        if not container.streams.video:
            raise CannotJoin("no_video")
        stream = container.streams.video[0]
        context = stream.codec_context
        if context is None or not 0 < stream.width * stream.height <= MOST_PIXELS:
            raise CannotJoin("no_video")
        packets = [packet for packet in container.demux(stream) if packet.size and packet.pts is not None]
        if len(packets) < 2 or stream.time_base is None:
            raise CannotJoin("too_short")
        times = sorted(packet.pts * stream.time_base for packet in packets)
        rate = _rate(times)
        length = times[-1] - times[0] + 1 / rate
        if rate > FASTEST or length > MOST_SECONDS:
            raise CannotJoin("too_long")
        form = (
            context.name,
            bytes(context.extradata or b""),
            (stream.width, stream.height, context.pix_fmt, context.sample_aspect_ratio),
            rate,
            _delay(packets),
        )
        return Part(
            path=clip,
            form=form if _is_plain(packets, times, rate) else None,
            width=stream.width,
            height=stream.height,
            rate=rate,
            frames=len(packets),
            start=times[0],
            length=length,
            has_sound=bool(container.streams.audio) and container.streams.audio[0].codec_context is not None,
        )


def _rate(times: Sequence[Fraction]) -> Fraction:
    """Return frames a second: the usual rate that is nearest, if one is near, because times are rounded."""
    if times[-1] <= times[0]:
        raise CannotJoin("broken")
    measured = (len(times) - 1) / (times[-1] - times[0])
    nearest = min(RATES, key=lambda rate: abs(rate - measured))
    return nearest if abs(nearest - measured) < NEAR * nearest else measured.limit_denominator(1001)


def _is_plain(packets: Sequence[Any], times: Sequence[Fraction], rate: Fraction) -> bool:
    """Whether a clip can be copied behind another one.

    It begins with a frame that needs no other, hides none, and all of them are seen equally long.
    """
    first = packets[0]
    is_even = all(abs(b - a - 1 / rate) < Fraction(1, 1000) for a, b in pairwise(times))
    return (
        bool(first.is_keyframe)
        and first.pts == min(packet.pts for packet in packets)
        and not any(packet.is_discard or packet.is_corrupt for packet in packets)
        and all(packet.dts is not None for packet in packets)
        and is_even
    )


def _delay(packets: Sequence[Any]) -> int:
    """Return by how much a clip is decoded before it is seen; for two joined clips it has to be the same."""
    return int(packets[0].pts - packets[0].dts) if packets[0].dts is not None else 0


# -- pictures ------------------------------------------------------------------------------------------------


def _copied(film: Any, parts: Sequence[Part], starts: Sequence[Fraction]) -> Iterator[Iterator[Any]]:
    """Add a track of pictures, and return the packets of each part as they are, with new times."""
    with _open(parts[0].path) as container:
        track = film.add_stream_from_template(container.streams.video[0])
    base = _fine(parts[0].rate)
    track.time_base = base

    def packets_of(number: int) -> Iterator[Any]:
        part = parts[number]
        with _open(part.path) as source:
            stream = source.streams.video[0]
            # Where two frames share a time, the second one is one tick later.
            begin = round(starts[number] / base) + number
            for packet in source.demux(stream):
                if not packet.size:
                    continue
                seen, decoded = (
                    round((time * stream.time_base - part.start) / base) + begin
                    for time in (packet.pts, packet.dts)
                )
                packet.stream, packet.time_base = track, base
                packet.pts, packet.dts = seen, decoded
                packet.duration = round(part.step / base)
                yield packet

    return (packets_of(number) for number in range(len(parts)))


def _fine(rate: Fraction) -> Fraction:
    """Return a unit of time in which a frame has a whole number, and which is short."""
    ticks = rate.numerator
    while ticks < FINEST:
        ticks *= 2
    return Fraction(1, ticks)


def _encoded(film: Any, parts: Sequence[Part], starts: Sequence[Fraction]) -> Iterator[Iterator[Any]]:
    """Add a track of pictures, and return the packets of each part, in one size and at one rate."""
    rate = max(part.rate for part in parts)
    largest = max(parts, key=lambda part: part.width * part.height)
    size = (largest.width // 2 * 2, largest.height // 2 * 2)
    track = film.add_stream("libx264", rate=rate)
    track.width, track.height, track.pix_fmt = *size, "yuv420p"
    colours = "colorprim=bt709:transfer=bt709:colormatrix=bt709:range=tv"
    track.options = {**QUALITY, "g": str(round(2 * rate)), "x264-params": colours}

    def packets_of(number: int) -> Iterator[Any]:
        part, is_last = parts[number], number == len(parts) - 1
        end = starts[number] + part.length if is_last else starts[number + 1]
        first, last = round(starts[number] * rate), round(end * rate)
        frames = _resampled(part, first / rate - starts[number], rate, last - first)
        for index, frame in enumerate(frames, first):
            picture = _fitted(frame, size)
            picture.pts, picture.time_base = index, 1 / rate
            picture.pict_type = 0
            yield from track.encode(picture)
        if is_last:
            yield from track.encode(None)

    return (packets_of(number) for number in range(len(parts)))


def _resampled(part: Part, at: Fraction, rate: Fraction, count: int) -> Iterator[Any]:
    """Yield `count` frames of a part at a rate: the one that is seen at each time."""
    current = None
    given = 0
    with _open(part.path) as source:
        stream = source.streams.video[0]
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
        for frame in source.decode(stream):
            if frame.pts is None:
                continue
            time = frame.pts * stream.time_base - part.start
            # A quarter of a frame: times of files are rounded.
            while current is not None and given < count and at + given / rate < time - part.step / 4:
                yield current
                given += 1
            current = frame
    if current is None:
        raise CannotJoin("no_video")
    for _ in range(given, count):
        yield current


def _fitted(frame: Any, size: tuple[int, int]) -> Any:
    """Return a frame in a size and in the colours of the film, between black bars if its shape is another."""
    import av
    import numpy as np
    from av.video.reformatter import Colorspace

    shrink = min(Fraction(size[0], frame.width), Fraction(size[1], frame.height))
    inner = tuple(
        min(round(side * shrink / 2) * 2, most)
        for side, most in zip((frame.width, frame.height), size, strict=True)
    )
    space = frame.colorspace
    if space == _UNSPECIFIED:
        space = Colorspace.ITU709 if frame.height >= _HD else Colorspace.ITU601
    scaled = frame.reformat(
        *inner, "yuv420p", src_colorspace=space, dst_colorspace=Colorspace.ITU709, dst_color_range=1
    )
    if inner == size:
        return scaled
    made = av.VideoFrame(*size, "yuv420p")
    for number, (target, source) in enumerate(zip(made.planes, scaled.planes, strict=True)):
        half = 2 if number else 1
        to = np.frombuffer(memoryview(target), np.uint8).reshape(-1, target.line_size)
        of = np.frombuffer(memoryview(source), np.uint8).reshape(-1, source.line_size)
        wide, high = inner[0] // half, inner[1] // half
        left, top = (size[0] - inner[0]) // 2 // half, (size[1] - inner[1]) // 2 // half
        to[:] = 128 if number else 16
        to[top : top + high, left : left + wide] = of[:high, :wide]
    return made


# -- sound ---------------------------------------------------------------------------------------------------


def _sound(parts: Sequence[Part], starts: Sequence[Fraction]) -> Iterator[Any]:
    """Yield the sound of each part until the next one begins, as long as its pictures to the sample."""
    import numpy as np

    before = None
    for number, part in enumerate(parts):
        is_last = number == len(parts) - 1
        begin = round(starts[number] * RATE)
        end = round((starts[number] + part.length if is_last else starts[number + 1]) * RATE)
        heard = _heard(part, round((starts[number] + part.length) * RATE) - begin)
        if before is not None:
            length = min(before.shape[1], heard.shape[1])
            angle = (np.arange(length, dtype=np.float32) + 0.5) / max(length, 1) * (np.pi / 2)
            heard[:, :length] = before[:, :length] * np.cos(angle) + heard[:, :length] * np.sin(angle)
        # The clip's sound goes on for the frame that both share.
        before = heard[:, end - begin :][:, : round(PASSING * RATE)].copy()
        yield np.clip(heard[:, : end - begin], -1, 1)


def _heard(part: Part, length: int) -> Any:
    """Return the sound of a clip in stereo, from its first picture on; silence where it has none."""
    import av
    import numpy as np

    heard = np.zeros((2, length), np.float32)
    if not part.has_sound:
        return heard
    first, place = length, None
    with _open(part.path) as source:
        stream = source.streams.audio[0]
        is_mono = stream.codec_context.channels == 1
        resampler = av.AudioResampler("fltp", "mono" if is_mono else "stereo", RATE)
        for frame in _all_frames(source, stream, resampler):
            if frame.time is not None:
                given = round((Fraction(frame.time) - part.start) * RATE)
                if place is None or abs(given - place) > RATE // 20:  # else only rounded
                    place = given
                    first = min(first, max(place, 0))
            place = place or 0
            samples = frame.to_ndarray()
            if place >= length:
                break
            skip = max(-place, 0)
            piece = samples[:, skip : skip + length - max(place, 0)]
            at = max(place, 0)
            heard[:, at : at + piece.shape[1]] = piece
            place += samples.shape[1]
    _faded(heard, first, min(place or 0, length))
    return heard


def _all_frames(source: Any, stream: Any, resampler: Any) -> Iterator[Any]:
    import av

    for packet in source.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        for frame in frames:
            yield from resampler.resample(frame)
    yield from resampler.resample(None)


def _faded(heard: Any, first: int, last: int) -> None:
    """Soften the ends of a sound that begins after its first picture or ends before its last one."""
    import numpy as np

    length = heard.shape[1]
    ramp = np.linspace(0, 1, FADE, dtype=np.float32)
    if 0 < first <= length - FADE:
        heard[:, first : first + FADE] *= ramp
    if FADE <= last < length:
        heard[:, last - FADE : last] *= ramp[::-1]


def _sound_packets(track: Any, samples: Any, at: int) -> Iterator[Any]:
    import av
    import numpy as np

    for begin in range(0, samples.shape[1], RATE):
        piece = np.ascontiguousarray(samples[:, begin : begin + RATE], np.float32)
        block = av.AudioFrame.from_ndarray(piece, format="fltp", layout="stereo")
        block.sample_rate, block.time_base, block.pts = RATE, Fraction(1, RATE), at + begin
        yield from track.encode(block)


def _open(clip: Path) -> Any:
    import av

    # The options also reach the decoders that look for the streams' facts. No file makes us open another one.
    options = {"max_pixels": str(MOST_PIXELS), "protocol_whitelist": "file"}
    return av.open(str(clip), format="mp4", options=options)


def _reporter(share: Path) -> Callable[[float], None]:
    """Return what writes a share into a file, twice a second at most."""
    written = float("-inf")

    def report(done: float) -> None:
        nonlocal written
        if time.monotonic() - written >= EVERY:
            written = time.monotonic()
            share.write_text(f"{done:.3f}", encoding="ascii")

    return report


def main(arguments: Sequence[str]) -> None:
    """Print what the film is, or why there is none, as JSON.

    Args:
        arguments: where the film goes, where the share that is done goes, and the clips.
    """
    import av

    out, share, *clips = map(Path, arguments)
    try:
        answer = join(clips, out, _reporter(share))
    except CannotJoin as error:
        answer = {"refused": str(error)}
    except (av.error.FFmpegError, IndexError, ValueError, OSError) as error:
        answer = {"refused": "room" if getattr(error, "errno", 0) in NO_ROOM else "broken"}
    except MemoryError:
        answer = {"refused": "work"}
    print(json.dumps(answer))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(sys.argv[1:])
