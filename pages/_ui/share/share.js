// The page of a shared link: rows that fill the width, what plays on hover, and one clip on the whole screen.
(() => {
  "use strict";
  const HOVER = 120, IDLE = 2500, STUCK = 4000; // milliseconds
  // clips that play together by themselves
  const MOST_AT_ONCE = 4;
  const wall = document.querySelector(".wall");
  if (!wall) return;
  const tiles = [...wall.querySelectorAll(".tile")];
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const here = location.pathname.replace(/\/$/, "");
  const clip = (tile) => `${here}/${tile.dataset.clip}.mp4`;
  const poster = (tile) => `${here}/${tile.dataset.clip}.jpg`;
  const ratio = (tile) => Number(tile.dataset.ratio) || 16 / 9;
  const known = (tile) => ({ seconds: Number(tile.dataset.seconds), fps: Number(tile.dataset.fps) });
  const sideOf = (tile, side) => Number(tile.querySelector("img").getAttribute(side));
  const told = (tile) => ({
    id: tile.dataset.clip, src: clip(tile), poster: poster(tile), ratio: ratio(tile), ...known(tile), sound: tile.hasAttribute("data-sound"),
    w: sideOf(tile, "width"), h: sideOf(tile, "height"), name: tile.getAttribute("aria-label"),
    who: tile.dataset.who || "", when: tile.dataset.when || "", said: tile.dataset.said || "", prompt: tile.dataset.said || "",
  });
  const facts = ({ dataset: { who, when } }) => [...(who?.split("\n") ?? []), when].filter(Boolean);
  // What this tab still has may have left the link since: then the page is asked for anew.
  const ask = (tile) => fetch(clip(tile), { method: "HEAD" }).then(({ status }) => { if (status === 404) location.reload(); }, () => {});
  const isOpen = () => Boolean(document.querySelector("dialog[open]"));

  // -- the wall ----------------------------------------------------------------------------------------------

  function playerOf(tile) {
    const video = document.createElement("video");
    Object.assign(video, { muted: true, loop: true, playsInline: true, preload: "auto", src: clip(tile), tabIndex: -1 });
    video.setAttribute("aria-hidden", "true");
    return video;
  }

  let waiting = 0, shown = null;

  function hover(tile) {
    clearTimeout(waiting);
    if (calm.matches || tile.querySelector("video")) return;
    waiting = setTimeout(() => {
      leave();
      shown = playerOf(tile);
      tile.querySelector("img").after(shown);
      shown.play().catch(() => {});
    }, HOVER);
  }

  function leave() {
    clearTimeout(waiting);
    if (!shown) return;
    shown.removeAttribute("src");
    shown.load();
    shown.remove();
    shown = null;
  }

  const together = newSync();

  function playTogether() {
    if (calm.matches || tiles.length > MOST_AT_ONCE || document.hidden || isOpen()) return;
    const videos = tiles.map((tile) => {
      const video = playerOf(tile);
      tile.querySelector("img").after(video);
      return video;
    });
    const lengths = tiles.map((tile) => Number(tile.dataset.seconds) || 0);
    // takes of other lengths: each begins anew by itself
    if (Math.max(...lengths) - Math.min(...lengths) > 0.1) {
      for (const video of videos) video.play().catch(() => {});
      return;
    }
    for (const video of videos) video.loop = false;
    together.use(videos, tiles.map(known));
    together.play();
  }

  function stopAll() {
    leave();
    together.clear();
    for (const video of wall.querySelectorAll("video")) video.remove();
  }

  // -- one clip ----------------------------------------------------------------------------------------------

  const room = document.getElementById("room");
  const part = (name) => room.querySelector(name);
  const video = part("video"), scrub = part("input"), shade = part(".shade"), screenful = part(".screen"), help = part(".help");
  const press = Object.fromEntries([...room.querySelectorAll("[data-do]")].map((each) => [each.dataset.do, each]));
  let stuck = 0, at = 0, isAuto = false, isLoop = true, hasWords = true, idle = 0, opener = null;

  function open(index, { present = false } = {}) {
    opener = document.activeElement;
    stopAll();
    isAuto = present && tiles.length > 1;
    help.hidden = true;
    if (!room.open) {
      room.showModal();
      history.pushState({ room: true }, "");
    }
    show(index);
    press.play.focus();
    if (present) full();
  }

  function show(index) {
    clearTimeout(stuck);
    at = (index + tiles.length) % tiles.length;
    const tile = tiles[at], next = tiles[(at + 1) % tiles.length];
    video.poster = poster(tile);
    video.src = clip(tile);
    new Image().src = poster(next);
    part(".place").textContent = tiles.length > 1 ? `${at + 1} of ${tiles.length}` : "";
    part(".said").textContent = tile.dataset.said || "";
    part(".facts").replaceChildren(...facts(tile).flatMap((text, place) => {
      const one = document.createElement("bdi");
      one.textContent = text;
      return place ? [", ", one] : [one];
    }));
    video.setAttribute("aria-label", tile.getAttribute("aria-label"));
    press.back.hidden = press.on.hidden = press.auto.hidden = tiles.length < 2;
    press.words.hidden = !tiles.some((each) => each.dataset.said || each.dataset.when);
    press.sound.hidden = !tile.hasAttribute("data-sound");
    state();
    video.play().catch(() => {});
    ask(tile);
  }

  function pressed(button, on) { button.setAttribute("aria-pressed", String(on)); }
  function icon(button, name) { button.querySelector("use").setAttribute("href", `#i-${name}`); }

  function state() {
    video.loop = isLoop && (!isAuto || tiles.length < 2);
    pressed(press.loop, isLoop);
    pressed(press.auto, isAuto);
    pressed(press.sound, !video.muted);
    icon(press.sound, video.muted ? "mute" : "sound");
    pressed(press.words, hasWords);
    part(".caption").hidden = !video.error && (!hasWords || press.words.hidden);
    icon(press.play, video.paused ? "play" : "pause");
    press.play.setAttribute("aria-label", video.paused ? "Play" : "Pause");
    press.full.setAttribute("aria-label", document.fullscreenElement ? "Leave full screen" : "Full screen");
  }

  function full() {
    if (document.fullscreenElement) {
      document.exitFullscreen();
    } else if (screenful.requestFullscreen) { // a dialog itself may not
      screenful.requestFullscreen().then(() => screen.orientation?.lock?.("landscape")).catch(() => {});
    } else {
      // a phone that shows nothing but players so
      video.webkitEnterFullscreen?.();
    }
  }

  function shadeWith(colour) {
    const isOn = shade.hidden || shade.dataset.colour !== colour;
    shade.hidden = !isOn || !colour;
    shade.dataset.colour = colour;
    shade.classList.toggle("white", colour === "white");
    if (shade.hidden) video.play().catch(() => {});
    else video.pause();
  }

  const DO = {
    close: () => room.close(),
    back: () => show(at - 1),
    on: () => show(at + 1),
    play: () => { if (video.paused) video.play().catch(() => {}); else video.pause(); },
    full,
    sound: () => { video.muted = !video.muted; },
    loop: () => { isLoop = !isLoop; },
    auto: () => { isAuto = !isAuto; },
    words: () => { hasWords = !hasWords; },
    keys: () => {
      help.hidden = !help.hidden;
      press.keys.setAttribute("aria-expanded", String(!help.hidden));
    },
    black: () => shadeWith("black"),
    white: () => shadeWith("white"),
  };
  const KEYS = { ArrowLeft: "back", ArrowRight: "on", " ": "play", f: "full", m: "sound", l: "loop", a: "auto", c: "words",
    "?": "keys", b: "black", w: "white" };

  function act(name) {
    if (press[name]?.hidden) return;
    DO[name]();
    state();
    wake();
  }

  function wake() {
    clearTimeout(idle);
    room.classList.remove("idle");
    idle = setTimeout(() => {
      if (document.fullscreenElement && !video.paused && help.hidden) room.classList.add("idle");
    }, IDLE);
  }

  room.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) act(button.dataset.do);
    else if (event.target === video) act("play");
    else if (event.target === shade) shadeWith("");
  });
  // Not the room: what had the focus may be hidden by now.
  addEventListener("keydown", (event) => {
    if (!room.open || event.ctrlKey || event.metaKey || event.altKey) return;
    const name = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!shade.hidden && name !== "black" && name !== "white") {
      if (event.key !== "Escape") event.preventDefault();
      shadeWith("");
      return;
    }
    const isButton = event.target instanceof HTMLButtonElement, isScrub = event.target === scrub;
    if (!name || (isScrub && event.key.startsWith("Arrow")) || (isButton && event.key === " ")) return;
    event.preventDefault();
    act(name);
  });
  room.addEventListener("pointermove", wake);
  room.addEventListener("close", () => {
    video.pause();
    video.removeAttribute("src");
    video.load();
    shade.hidden = true;
    if (document.fullscreenElement) document.exitFullscreen();
    if (history.state?.room) history.back();
    (opener?.classList.contains("primary") ? opener : tiles[at]).focus();
    playTogether();
  });
  // Back closes what is open. An entry that a reload or Forward leads to has nothing open.
  function walked() {
    if (history.state?.room) history.replaceState(null, "");
    for (const each of [room, hall.dialog]) if (each.open) each.close();
  }
  addEventListener("popstate", walked);

  let from = null;
  room.addEventListener("touchstart", ({ touches: [one, other] }) => {
    from = other || visualViewport.scale > 1.1 ? null : one; // several zoom, and one moves what is zoomed
  }, { passive: true });
  room.addEventListener("touchend", (event) => {
    if (!from || event.target === scrub) return;
    const by = event.changedTouches[0].clientX - from.clientX, down = event.changedTouches[0].clientY - from.clientY;
    from = null;
    if (Math.abs(by) > 50 && Math.abs(by) > 2 * Math.abs(down) && tiles.length > 1) act(by < 0 ? "on" : "back");
    else if (down > 80 && down > 2 * Math.abs(by)) room.close();
  });

  const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  video.addEventListener("timeupdate", () => {
    const length = video.duration || 0;
    part(".at").textContent = `${minutes(video.currentTime)} / ${minutes(length)}`;
    if (length) scrub.value = String((1000 * video.currentTime) / length);
    scrub.setAttribute("aria-valuetext", `${minutes(video.currentTime)} of ${minutes(length)}`);
  });
  scrub.addEventListener("input", () => {
    if (video.duration) video.currentTime = (video.duration * Number(scrub.value)) / 1000;
  });
  for (const kind of ["play", "pause", "volumechange"]) video.addEventListener(kind, state);
  document.addEventListener("fullscreenchange", () => { state(); wake(); });
  video.addEventListener("error", () => {
    if (!video.getAttribute("src")) return;
    part(".said").textContent = "This clip cannot be played now.";
    state();
    if (isAuto && (isLoop || at < tiles.length - 1)) stuck = setTimeout(() => { if (room.open) act("on"); }, STUCK);
  });
  video.addEventListener("ended", () => { if (isAuto && (isLoop || at < tiles.length - 1)) show(at + 1); });
  // nobody is surprised by sound; M, or a press, turns it on
  video.muted = true;

  for (const [index, tile] of tiles.entries()) {
    tile.addEventListener("click", () => open(index));
    tile.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") hover(tile); });
    tile.addEventListener("pointerleave", leave);
    tile.addEventListener("focus", () => { if (tile.matches(":focus-visible")) hover(tile); });
    tile.addEventListener("blur", leave);
  }
  const hall = newHall({ tiles, told, ask, most: MOST_AT_ONCE, plays: () => !calm.matches, begun: stopAll, ended: playTogether });
  document.querySelector("[data-compare]")?.addEventListener("click", hall.open);
  document.querySelector("[data-present]")?.addEventListener("click", () => open(0, { present: true }));
  const layOut = newRows(wall, tiles, ratio);
  addEventListener("resize", layOut);
  layOut();
  walked();
  playTogether();
})();
