"""Reads a prompt: finds the words of the lexicon in it, and decides from them what the picture shows."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache

from kling.sandbox.renderer.camera import Leg
from kling.sandbox.renderer.vocabulary import find_meanings, first_meaning, lexicon, normalise, pattern

# A prompt that names no place gets one of these.
DEFAULT_PLACES = ("mountains", "sea", "fields", "forest", "desert", "lake", "hills", "clouds", "island")
DEFAULT_LANDS = ("mountains", "fields", "forest", "hills")  # places in which any subject can stand
TIMES = ("dawn", "noon", "dusk", "noon", "dusk", "night")
SENTENCE = re.compile(r"[^.!?;。！？\n]+")
CAMERA = re.compile(r"\b(?:camera|lens|drone|the (?:shot|view)|we)\b")
THEN = re.compile(r"\b(?:then|before|afterwards|followed by|finally)\b")
NUMBERS = {"two": 2, "2": 2, "pair of": 2, "three": 3, "3": 3, "four": 4, "4": 4, "five": 5, "5": 5}
NUMBER = re.compile(rf"\b({'|'.join(NUMBERS)}|herd of|pack of|group of|dozens of)(?: [a-z-]+)? $")
AROUND = 20  # characters before and after a camera move in which a word for its force is looked for
HAIR = re.compile(
    r"\b([a-z]+)(?: (?:long|short|curly|wavy|flowing|braided|straight|messy))*[- ]hair(?:ed)?\b"
    r"|\b(?:blonde?|redhead|brunette)\b"
)
BACKDROP = re.compile(r"\b([a-z]+) (?:seamless |studio )?(?:background|backdrop)")
REFUSED = re.compile(r"\b(?:no|without|not|never)\s+(?:any\s+|a\s+)?([a-z]+)")


@dataclass(frozen=True, slots=True)
class Scene:
    """What has to be painted, in the terms of the lexicon. An empty text means that the prompt does not say.

    Args:
        place: the kind of place, such as `forest` or `city`.
        ground: the kind of ground before it.
        time, weather, season, mood: of the picture.
        subjects: the name and the colour of each person, animal or thing.
        counts: how many there are of each subject, 1 to 5.
        tint: a colour of the whole picture.
        inks: all colours that belong to no subject.
        hair: the colour of people's hair.
        heaven: `stars` for a sky full of stars, or `full moon`.
        air: small things that fly: `petals`, `leaves`, `fireflies`, `sparks`, ...
        camera: the parts of a camera move, one after another; each has names of moves that happen at once,
            with their force (see `camera.spoken`).
        pose: of the subjects: `sit`, `run`, `still`, `ride`; empty: they walk.
        facing: `left` or `right`.
        light: the side from which it comes: `left`, `right`, `back`.
        near: whether the subject is `close` or `far`.
        beyond: another place that the prompt names.
        form: a variant of the place: `bamboo`, `jungle`, `shapes`, ...
        digest: a hash of the prompt, so that two prompts with the same scene look different.
    """

    place: str
    ground: str
    time: str
    weather: str
    season: str
    mood: str
    subjects: tuple[tuple[str, str], ...] = ()
    tint: str = ""
    air: str = ""
    camera: tuple[Leg, ...] = ()
    pose: str = ""
    facing: str = ""
    light: str = ""
    near: str = ""
    form: str = ""
    beyond: str = ""
    counts: tuple[int, ...] = ()
    inks: tuple[str, ...] = ()
    hair: str = ""
    heaven: str = ""
    digest: int = 0


@cache
def _things() -> re.Pattern[str]:
    return re.compile(rf"\w+ (?:\w+ )?(?:{'|'.join(lexicon()['things']['things'])})")


def read_scene(prompt: str, negative: str = "") -> Scene:
    """The scene that a prompt asks for. A hash of the prompt decides what it leaves open.

    Args:
        prompt: any text.
        negative: names what must not be in the picture.
    """
    text = normalise(prompt.lower())
    unwanted = f"{normalise(negative.lower())} {' '.join(REFUSED.findall(text))}"
    text = REFUSED.sub(" ", text)
    hair = next((code for found in HAIR.finditer(text) if (code := first_meaning("hair", found[0]))), "")
    text = HAIR.sub(lambda found: " " if first_meaning("hair", found[0]) else found[0], text)
    digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).digest()
    weather = first_meaning("weather", text, unwanted)
    places = [name for _, name in find_meanings("place", text, unwanted)]
    subjects = _subjects(text, unwanted, places)
    # If the prompt names no animal for these riders, they get a horse.
    riders = {"cowboy", "knight", "samurai"}
    if first_meaning("pose", text) == "ride" and subjects and all(name in riders for _, name in subjects):
        subjects.append((len(text), "horse"))
    colours = find_meanings("colour", text, unwanted)
    owned = [_colour_of(text, at, colours, subjects) for at, _ in subjects]
    free = [code for at, code in colours if code not in owned and not _things().match(text, at)]
    behind = BACKDROP.search(text)
    if behind and (named := first_meaning("colour", behind[1])):
        free = [named, *(code for code in free if code != named)]
    home = [lexicon()["home"].get(name, "") for _, name in subjects]
    # A place outside wins: a cat on a motorcycle is not in a room.
    home = sorted(home, key=lambda name: name == "room")
    places = _likely_places(places, home)
    place = next((name for name in (*places, *home) if name), "")
    if place == "sea" and subjects and all(name in lexicon()["below"]["names"] for _, name in subjects):
        place = "underwater"
    ground = first_meaning("ground", text, unwanted)
    # Cliffs in the snow are those of mountains.
    if place == "canyon" and first_meaning("season", text, unwanted) == "winter":
        place = "mountains"
    if place == "stage" and not places and weather:  # a dancer in the rain is outside, not on a stage
        place = "city"
    if place == "sea" and subjects and all(name in lexicon()["ashore"]["names"] for _, name in subjects):
        place, ground = "beach", ""
    if not place and ground:
        place = {"road": "hills", "snow": "mountains", "river": "hills"}.get(ground, "open")
    choice = DEFAULT_LANDS if subjects else DEFAULT_PLACES
    time = first_meaning("time", text, unwanted) or _hour(
        weather,
        place,
        digest[1],
        subjects=bool(subjects),
        mood=first_meaning("mood", text) or first_meaning("season", text),
    )
    if place == "neon" and time in {"dawn", "noon"}:  # by day the neon signs are off
        place = "city"
    return Scene(
        place=place or choice[digest[0] % len(choice)],
        ground=ground,
        time=time,
        weather=weather or "clear",
        season=first_meaning("season", text, unwanted) or ("winter" if weather == "snow" else "summer"),
        mood=first_meaning("mood", text, unwanted) or "calm",
        subjects=tuple((name, code) for (_, name), code in zip(subjects, owned, strict=True))[:3],
        tint=free[0] if free else "",
        inks=tuple(free),
        hair=hair,
        heaven=first_meaning("heaven", text, unwanted),
        air=first_meaning("air", text, unwanted),
        camera=_camera(prompt.lower(), text),
        pose=first_meaning("pose", text),
        facing=first_meaning("facing", text),
        light=first_meaning("light", text),
        near=first_meaning("near", text),
        form=(first_meaning("matter", text) if place == "abstract" else "") or first_meaning("form", text),
        beyond=next((name for name in places if name != place), ""),
        counts=tuple(_count(text, name) for _, name in subjects)[:3],
        digest=int.from_bytes(digest[2:6]),
    )


def _subjects(text: str, unwanted: str, places: list[str]) -> list[tuple[int, str]]:
    """The subjects that a text names, each with its position, but not what belongs to other subjects."""
    found = find_meanings("subject", text, unwanted)
    names = {name for _, name in found}
    extra = {other for name in names for other in lexicon()["part_of"].get(name, ())}
    if places[:1] == ["fields"] and _count(text, "flower") > 1:
        extra.add("flower")  # a field of tulips is a ground, not one tulip
    if len(names) > 1:
        extra |= {"leaf", "tree"} if places[:1] == ["forest"] else {"leaf"}
    if names & {*lexicon()["people"]["names"]}:  # what they wear, such as boots, is no subject of its own
        extra |= {*lexicon()["worn"]["names"]}
    if "room" in places:  # a room is inside of the house
        extra.add("house")
    if {"city", "neon"} & {*places} and _count(text, "tower") > 1:
        extra.add("tower")  # several towers are the houses of the city
    if names & {*lexicon()["afloat"]["names"]} and first_meaning("near", text) != "close":
        extra |= {*lexicon()["ashore"]["names"]}
    return [(at, name) for at, name in found if name not in extra]


def _likely_places(places: list[str], home: list[str]) -> list[str]:
    """The places that a prompt means: some words name a place only if no other word says more."""
    weak = set()
    # Beside another place, paint, ink and particles are a part of its scene.
    if home or {*places} - {"abstract", "studio", "macro"}:
        weak.add("abstract")
    # For example a macro shot of something on a table.
    if len(places) > 1 or set(home) & {"cafe", "room", "studio"}:
        weak.add("macro")
    # For example a neon jellyfish in a forest.
    if set(places) - {"neon", "city", "room", "cafe", "cave", "stage"}:
        weak.add("neon")
    if "studio" in places:  # tea in a studio is not in a cafe
        weak.add("cafe")
    if "sea" in {*places, *home}:  # a cliff at the sea is no canyon
        weak.add("canyon")
    if "beach" in places:  # the waves of a beach are not the open sea
        weak.add("sea")
    found = [name for name in places if name not in weak]
    found = ["village", *found] if "village" in found and found[0] in {"mountains", "hills"} else found
    found = ["neon", *found] if found[:1] == ["city"] and "neon" in found else found
    # For example a turtle over a reef in the sea.
    return ["underwater", *found] if "underwater" in found else found


def _count(text: str, name: str) -> int:
    """How many of a subject a text names; three if it only uses the plural."""
    for match in (matches := [*pattern("subject", name).finditer(text)]):
        if said_so := NUMBER.search(text[: match.start()]):
            return NUMBERS.get(said_so[1], 4)
    alone = name in lexicon()["together"]["names"]
    return 3 if any(m[0] not in lexicon()["subject"][name] for m in matches) and not alone else 1


def _colour_of(text: str, at: int, colours: list[tuple[int, str]], subjects: list[tuple[int, str]]) -> str:
    """The colour of a subject: just before it (a red car), or worn by it (a woman in a white dress)."""
    begin = max((other for other, _ in subjects if other < at), default=-1)
    near = [
        code
        for where, code in colours
        if begin < where <= at and text[where:at].count(" ") <= 2 and not _things().match(text, where, at)
    ]
    worn = [
        code
        for where, code in colours
        if at < where
        and len(text[at:where].split()) <= 6
        and re.search(r" (in|wearing|with|con|mit|avec|im|в|с) ", text[at:where])
    ]
    return near[-1] if near else worn[0] if worn else ""


def _camera(prompt: str, text: str) -> tuple[Leg, ...]:
    """The camera move that a text asks for; `prompt` is the whole prompt, with parts such as "no zoom"."""
    if pattern("camera", "still").search(prompt):
        return ((("still", ""),),)
    legs: list[list[tuple[str, str]]] = []
    for sentence in SENTENCE.findall(text):
        camera = CAMERA.search(sentence)
        last: int | None = None
        for match in _any_move().finditer(sentence):
            at, (meaning, others_too) = match.start(), _moves()[match[0]]
            if others_too and not (camera and camera.end() < at):
                continue
            if last is None or THEN.search(sentence, last, at):
                legs.append([])
            last = at
            around = sentence[max(0, at - AROUND) : match.end() + AROUND]
            legs[-1].append((meaning, first_meaning("force", around)))
    return tuple(map(tuple, legs[:3]))


@cache
def _moves() -> dict[str, tuple[str, bool]]:
    """Each camera word, longest first: its move, and whether it is a verb that also has other subjects."""
    found = {
        word: (meaning, group == "of_the_camera")
        for group in ("of_the_camera", "camera")
        for meaning, words in lexicon()[group].items()
        for word in words
    }
    return dict(sorted(found.items(), key=lambda each: -len(each[0])))


@cache
def _any_move() -> re.Pattern[str]:
    return re.compile(f"(?<![a-z])(?:{'|'.join(map(re.escape, _moves()))})(?![a-z])")


def _hour(weather: str, place: str, die: int, *, subjects: bool, mood: str) -> str:
    if weather == "clear" or place in {"studio", "macro"}:
        return "noon"
    if mood == "dark":
        return ("dusk", "night")[die % 2]
    if weather in {"storm", "rain", "fog", "snow", "cloudy"}:
        return ("noon", "dawn", "dusk")[die % 3]
    if place == "forest":
        return ("noon", "dawn")[die % 2]
    if place in {"neon", "city", "cafe", "room", "stage"}:
        bright = mood in {"bright", "spring", "summer"} and place in {"city", "cafe", "room"}
        return ("dusk", "noon" if bright else "night")[die % 2]
    return TIMES[die % (len(TIMES) - (1 if subjects else 0))]  # a subject must be visible, so not night
