// Two to four clips next to each other under one bar: play, frames, place, loop, speed, sound of one, one zoom for all.
// The page Compare and the page of a shared link both build it; sync.js keeps the clips in step.

const AROUND = 72; // pixels above, between and below the rows of the deck

// did(what, facts): `close`, `add`, `link`, `keep` and `remove` of a clip, `moved` (marks or place changed).
function newDeck(root, { did, title = "Compare" }) {
  let clips = [], zoom = { one: false, by: 1, x: 0.5, y: 0.5 }, last = 0, drawnAt = "";
  const sync = newSync({ changed: draw });
  const head = make("header", { class: "deck-head" }), players = make("div", { class: "deck-players" });
  const close = pressable("close", "Close", { keys: "Esc" }), count = make("span", { class: "deck-count", role: "status" });
  const fit = make("button", { type: "button", "data-do": "fit", text: "Fit", title: "The whole picture (Z)" });
  const one = make("button", { type: "button", "data-do": "one", text: "1:1", title: "Pixel by pixel (Z)" });
  const add = pressable("add", "Add a clip", { words: "Add a clip" }), link = pressable("link", "Copy link", { words: "Copy link" });
  link.classList.add("deck-second");
  head.append(close, make("h1", { text: title }), count, make("div", { class: "deck-segment", role: "group", "aria-label": "Size" }, fit, one), add, link);

  const back = pressable("back", "Frame back", { keys: "," }), go = pressable("play", "Play", { keys: "Space" }), on = pressable("on", "Frame on", { keys: "." });
  go.classList.add("deck-go");
  const time = make("span", { class: "deck-time" });
  const range = make("input", { type: "range", min: 0, max: 1, step: "any", value: 0, "aria-label": "Place in the clips" });
  const span = make("i", { class: "deck-span" }), done = make("i", { class: "deck-done" });
  const scrub = make("div", { class: "deck-scrub" }, span, done, range);
  const loop = pressable("loop", "Loop", { keys: "L", words: "Loop" });
  const start = pressable("from", "Loop from here", { keys: "I" }), stop = pressable("until", "Loop until here", { keys: "O" });
  const speed = make("select", { "aria-label": "Speed", title: "Speed" }, ...[0.25, 0.5, 1, 1.5, 2].map((each) => make("option", { value: each, text: `${each}×`, selected: each === 1 })));
  const bar = make("div", { class: "deck-bar", role: "group", "aria-label": "Player" }, back, go, on, time, scrub, start, stop, loop, speed);
  root.append(head, players, bar);

  // -- the clips

  function playerOf(index) {
    const letter = LETTERS[index];
    const video = make("video", { playsinline: true, preload: "auto", tabindex: -1 });
    const said = make("p", { class: "deck-said", hidden: true }), over = make("span", { class: "deck-over", hidden: true });
    const heard = pressable("mute", `Hear ${letter}`, { keys: String(index + 1) }), gone = pressable("close", `Take ${letter} out`);
    gone.dataset.do = "remove";
    heard.dataset.do = "hear";
    video.addEventListener("loadedmetadata", () => { // the file knows best
      const clip = clips[index], { videoWidth: w, videoHeight: h } = video;
      if (!clip || !w || !h || (clip.w === w && clip.h === h)) return;
      clips[index] = { ...clip, w, h, ratio: w / h };
      box.style.setProperty("--ratio", w / h);
      layOut();
    });
    const box = make("div", { class: "deck-box" }, video, make("b", { class: "deck-letter", text: letter }), said, over, gone, heard);
    const words = make("p", { class: "deck-words" }), keep = pressable("star", "Keep this one", { words: "Keep this one" });
    keep.dataset.do = "keep";
    const figure = make("figure", { class: "deck-player", "data-letter": letter, "data-index": index }, box,
      make("figcaption", {}, words, keep));
    return { figure, box, video, said, over, heard, gone, words, keep };
  }

  function fill(part, clip, index) {
    const { video, words, heard, gone, keep, box } = part;
    const source = new URL(clip.src, location.href).href;
    if (part.source !== source) {
      part.source = source;
      video.poster = clip.poster || "";
      video.src = clip.src;
    }
    video.setAttribute("aria-label", `Clip ${LETTERS[index]}: ${clip.prompt || clip.name || ""}`);
    box.style.setProperty("--ratio", clip.ratio);
    words.replaceChildren(...[clip.who && make("b", { text: clip.who, dir: "auto" }), clip.when && make("span", { text: clip.when }),
      clip.rating ? make("span", { class: "deck-stars", role: "img", "aria-label": `rated ${clip.rating} of 5` }, ...Array.from({ length: clip.rating }, () => drawn("star"))) : null,
      clip.hidden && make("em", { text: "Hidden" }),
      clip.said && make("span", { class: "deck-prompt", text: clip.said, title: clip.said, dir: "auto" })].filter(Boolean));
    heard.hidden = !clip.sound;
    gone.hidden = clips.length < 3;
    keep.hidden = !clip.keep;
    keep.setAttribute("aria-pressed", String(Boolean(clip.kept)));
    keep.lastChild.textContent = clip.kept ? "Kept" : "Keep this one";
    keep.setAttribute("aria-label", `${keep.lastChild.textContent}: ${LETTERS[index]}`);
    part.figure.toggleAttribute("data-hidden", Boolean(clip.hidden));
  }

  let parts = [];
  // Shows clips; what plays, plays on where a clip keeps its place.
  function show(next, { at = 0, from = 0, until = 0, first = false } = {}) {
    const before = clips, same = before.length === next.length, sounds = before[sync.heard]?.id;
    clips = [...next];
    if (!same) {
      const kept = parts, where = sync.at;
      sync.clear();
      parts = clips.map((_clip, index) => kept[index] ?? playerOf(index));
      parts.forEach((part, index) => fill(part, clips[index], index));
      players.replaceChildren(...parts.map(({ figure }) => figure));
      sync.use(parts.map(({ video }) => video), clips);
      if (first) { sync.marks(from, until); if (at) sync.seek(at); } else sync.seek(where);
    } else {
      parts.forEach((part, index) => {
        const other = before[index].id !== clips[index].id;
        fill(part, clips[index], index);
        if (other) sync.renewed(index, clips[index]);
      });
    }
    // The sound stays with its clip; with its place where another was put there.
    const heard = clips.findIndex(({ id }) => id === sounds);
    if (sounds && (heard >= 0 || !same)) sync.hear(heard);
    last = Math.min(last, clips.length - 1);
    layOut();
    draw();
  }

  // As many columns as make the clips largest, all of them and the bar in sight.
  function layOut() {
    const width = players.clientWidth, isNarrow = matchMedia("(max-width: 640px)").matches, count = clips.length;
    if (!width || !count) return;
    const gap = isNarrow ? 8 : 24, caption = isNarrow ? 52 : 56, ratios = clips.map(({ ratio }) => ratio || 16 / 9);
    const others = [...root.children].reduce((sum, each) => sum + (each === players ? 0 : each.offsetHeight), 0);
    const height = innerHeight - others - AROUND;
    const ways = (isNarrow ? [1] : count === 4 ? [4, 2] : width > 1000 ? [count] : [count, 1]).map((columns) => {
      const rows = Math.ceil(count / columns), wide = (width - gap * (columns - 1)) / columns;
      const high = Math.min((height - gap * (rows - 1)) / rows - caption, Math.max(...ratios.map((ratio) => wide / ratio)));
      return { columns, high, size: ratios.reduce((sum, ratio) => sum + Math.min(wide, high * ratio) / Math.sqrt(ratio), 0) };
    });
    const best = ways.sort((a, b) => b.size - a.size)[0];
    players.style.setProperty("--columns", best.columns);
    players.style.setProperty("--high", isNarrow ? "none" : `${Math.max(Math.floor(best.high), 120)}px`);
    place();
  }

  // -- what can be seen of them

  function place() {
    fit.setAttribute("aria-pressed", String(!zoom.one && zoom.by === 1));
    one.setAttribute("aria-pressed", String(zoom.one && zoom.by === 1));
    parts.forEach(({ video, box }, index) => {
      const { w, h } = clips[index], scale = scaleOf(index);
      const [wide, high] = [box.clientWidth, box.clientHeight], fitted = w && h ? Math.min(wide / w, high / h) : 1;
      const move = (size, of, at) => Math.max((fitted * size * scale - of) / 2, 0) * (1 - 2 * at);
      video.style.transform = scale === 1 ? "" : `translate(${move(w, wide, zoom.x)}px, ${move(h, high, zoom.y)}px) scale(${scale})`;
      box.toggleAttribute("data-zoomed", scale > 1);
    });
  }

  function scaleOf(index) {
    const { w, h } = clips[index], { box } = parts[index];
    const fitted = w && h ? Math.min(box.clientWidth / w, box.clientHeight / h) : 1;
    return zoom.one && fitted ? zoom.by / (fitted * devicePixelRatio) : zoom.by;
  }

  function zoomTo(isOne) {
    zoom = isOne ? { ...zoom, one: true, by: 1 } : { one: false, by: 1, x: 0.5, y: 0.5 };
    place();
  }

  // -- the bar

  function draw() {
    const { playing, length, from, until, heard } = sync, at = sync.at;
    const each = clips.map((_clip, index) => [sync.failed(index), sync.lasts(index)]);
    const now = [playing, length, at.toFixed(2), from, until, sync.loop, heard, last, clips.length, each].join();
    if (now === drawnAt) return;
    drawnAt = now;
    count.textContent = `${clips.length} ${clips.length === 1 ? "clip" : "clips"}`;
    go.sign.shape(playing ? "pause" : "play");
    go.setAttribute("aria-label", playing ? "Pause" : "Play");
    time.replaceChildren(make("b", { text: clockOf(at, 2) }), make("span", { text: ` / ${clockOf(length, 0)}` }));
    range.max = String(length || 1);
    if (document.activeElement !== range || !isHeld) range.value = String(at);
    range.setAttribute("aria-valuetext", `${clockOf(at, 2)} of ${clockOf(length, 0)}`);
    const share = (seconds) => `${length ? (100 * Math.min(seconds, length)) / length : 0}%`;
    scrub.style.setProperty("--at", share(at));
    const isMarked = from > 0 || until > 0;
    scrub.style.setProperty("--from", share(from));
    scrub.style.setProperty("--until", share(until || length));
    span.hidden = !isMarked;
    loop.setAttribute("aria-pressed", String(sync.loop));
    loop.lastChild.textContent = isMarked ? `Loop ${clockOf(from, 1)} to ${clockOf(until || length, 1)}` : "Loop";
    add.disabled = clips.length >= LETTERS.length;
    add.title = add.disabled ? "Four clips are the most" : "";
    parts.forEach(({ heard: press, video, said, over, figure }, index) => {
      const lasts = sync.lasts(index);
      over.hidden = sync.failed(index) || lasts > length - 0.1 || at < lasts + 0.05; // else its last picture stands still
      if (!over.hidden) over.textContent = `Ended at ${clockOf(lasts, 1)}`;
      const isHeard = heard === index;
      press.sign.shape(isHeard ? "sound" : "mute");
      press.setAttribute("aria-pressed", String(isHeard));
      said.hidden = !sync.failed(index);
      if (!said.hidden) said.textContent = "This clip cannot be played.";
      video.hidden = !said.hidden;
      figure.toggleAttribute("data-used", index === last && clips.length > 1);
    });
  }

  function mark(which) {
    const at = sync.at, { from, until, length } = sync;
    if (which === "in") sync.marks(at < 0.05 ? 0 : Math.min(at, length - 0.1), until && until <= at + 0.1 ? 0 : until);
    else sync.marks(from >= at - 0.1 ? 0 : from, at > length - 0.05 ? 0 : Math.max(at, 0.1));
    if (!sync.loop) sync.loops(true);
    did("moved");
  }

  function loops() {
    if (sync.loop && (sync.from || sync.until)) { sync.marks(0, 0); did("moved"); } else sync.loops(!sync.loop);
  }

  const hear = (index) => { if (clips[index]?.sound) { last = index; sync.hear(sync.heard === index ? -1 : index); } };

  const DO = {
    close: () => did("close"), add: () => did("add"), link: () => did("link", link), fit: () => zoomTo(false), one: () => zoomTo(true),
    back: () => { sync.frames(-1); did("moved"); }, on: () => { sync.frames(1); did("moved"); },
    play: () => { sync.toggle(); if (!sync.playing) did("moved"); }, loop: loops, from: () => mark("in"), until: () => mark("out"),
    hear: (index) => hear(index), keep: (index) => did("keep", clips[index]), remove: (index) => did("remove", clips[index]),
  };

  function keyed(event) {
    const at = event.composedPath()[0], key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
    if (at.matches?.("select, textarea, input:not([type=range])")) return false;
    if (key === " " && at.matches?.("button, a, summary")) return false;
    const isRange = at === range, seconds = { ArrowLeft: -1, ArrowRight: 1 }[key];
    const act = {
      " ": DO.play, ",": DO.back, ".": DO.on, l: loops, i: () => mark("in"), o: () => mark("out"), z: () => zoomTo(!zoom.one), Escape: DO.close,
      Home: () => sync.seek(sync.from), End: () => sync.seek(sync.until || sync.length),
    }[key] ?? (seconds ? () => sync.seek(sync.at + seconds * (isRange ? 0.1 : 1)) : /^[1-4]$/.test(key) && clips[key - 1] ? () => hear(Number(key) - 1) : null);
    if (!act || (event.repeat && ![",", ".", "ArrowLeft", "ArrowRight"].includes(key))) return false;
    event.preventDefault();
    event.stopImmediatePropagation(); // Streamlit has keys of its own
    act();
    return true;
  }

  root.addEventListener("click", (event) => {
    const press = event.target.closest?.("[data-do]"), figure = event.target.closest?.(".deck-player");
    if (figure) last = Number(figure.dataset.index);
    if (press && root.contains(press) && !press.disabled) DO[press.dataset.do]?.(Number(figure?.dataset.index ?? -1));
    else if (event.target.tagName === "VIDEO" && !wasDragged) DO.play();
    draw();
  });
  let isHeld = false, wasDragged = false;
  const hold = (held) => { isHeld = held; sync.scrub(held); if (!held) did("moved"); };
  range.addEventListener("pointerdown", () => hold(true));
  for (const name of ["pointerup", "pointercancel"]) range.addEventListener(name, () => hold(false));
  range.addEventListener("input", () => sync.seek(Number(range.value)));
  speed.addEventListener("change", () => sync.speed(Number(speed.value)));

  // One drag moves all, one wheel makes all larger.
  players.addEventListener("pointerdown", (event) => {
    const box = event.target.closest(".deck-box[data-zoomed]");
    wasDragged = false;
    if (!box || event.target.closest("button") || event.button) return;
    event.preventDefault();
    const index = Number(box.parentNode.dataset.index), { w, h } = clips[index], scale = scaleOf(index);
    const fitted = Math.min(box.clientWidth / w, box.clientHeight / h), stop = new AbortController();
    const room = (size, of) => Math.max(fitted * size * scale - of, 1);
    let [x, y] = [event.clientX, event.clientY];
    box.setPointerCapture(event.pointerId);
    box.addEventListener("pointermove", (moved) => {
      if (Math.abs(moved.clientX - x) + Math.abs(moved.clientY - y) < 2) return;
      wasDragged = true;
      const clamp = (share) => Math.min(Math.max(share, 0), 1);
      zoom.x = clamp(zoom.x - (moved.clientX - x) / room(w, box.clientWidth));
      zoom.y = clamp(zoom.y - (moved.clientY - y) / room(h, box.clientHeight));
      [x, y] = [moved.clientX, moved.clientY];
      place();
    }, { signal: stop.signal });
    for (const name of ["pointerup", "pointercancel"]) box.addEventListener(name, () => stop.abort(), { signal: stop.signal });
  });
  players.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !zoom.one && zoom.by === 1) return; // the page scrolls
    event.preventDefault();
    zoom.by = Math.min(Math.max(zoom.by * Math.exp(-event.deltaY / 400), zoom.one ? 0.25 : 1), 8);
    place();
  }, { passive: false });
  const sizes = new ResizeObserver(layOut);
  sizes.observe(root);
  addEventListener("resize", layOut);

  return {
    show, keyed, sync, head, link, add, layOut, players: () => parts,
    get last() { return last; },
    stop: () => { sync.clear(); sizes.disconnect(); removeEventListener("resize", layOut); parts = []; clips = []; players.replaceChildren(); drawnAt = ""; },
  };
}
