// The pictures of the stage: the player, what is being made, the strip of clips, the first six templates.
// Everything that comes from jobs is put in as text, and only ids of plain letters become addresses.
const ID = /^[0-9A-Za-z][0-9A-Za-z_-]{0,63}$/;
const REPEAT = 1500; // milliseconds after which a press that had no effect is sent once more
const PLAYED_AT_ONCE = 4; // tiles of a batch
const PHONE = matchMedia("(max-width: 640px)"), CALM = matchMedia("(prefers-reduced-motion: reduce)");
const SHAPES = {
  play: "M8 5.1v13.8L19 12z", pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  loud: "M4 9v6h4l5 5V4L8 9zM15.5 8.2a5 5 0 0 1 0 7.6M18 5.6a9 9 0 0 1 0 12.8",
  mute: "M4 9v6h4l5 5V4L8 9zM16 9.5l5 5M21 9.5l-5 5",
  large: "M13 4h7v7M11 20H4v-7M20 4l-7 7M4 20l7-7",
  full: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  keep: "M12 4v11M7 10.5l5 5 5-5M5 20h14", bell: "M6 17V11a6 6 0 0 1 12 0v6M4 17h16M10 20.5h4",
  up: "M6 15l6-6 6 6", down: "M6 9l6 6 6-6", close: "M6 6l12 12M18 6L6 18",
};
const HINTS = {
  made: "You can write the next one meanwhile: it lines up beside this one.",
  done: "Space plays and stops, F fills the screen, R takes this clip back into the form.",
  strip: "J and K move along the clips below, Enter puts one here.",
};
const heard = new Set(); // ids of clips that were heard once in this tab
const lost = new Set(); // ids of clips whose picture is not there

const classed = (element, name, on) => { if (element.classList.contains(name) !== on) element.classList.toggle(name, on); };
const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
const clip = (id, kind) => `${BASE}/clips/${id}.${kind}`;
const ratioOf = (job) => job.shape[0] / job.shape[1];

function icon(shape) {
  const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(space, "path"));
  return draw(svg, shape);
}

function draw(svg, shape) {
  svg.firstChild.setAttribute("d", SHAPES[shape]);
  classed(svg, "stage-line", !["play", "pause"].includes(shape));
  return svg;
}

function button(name, label, shape, act) {
  const element = set(make("button", name), { type: "button", "aria-label": label, title: label });
  element.append(icon(shape));
  element.addEventListener("click", act);
  return element;
}

// A clip that plays goes on playing where it is moved to; browsers without `moveBefore` begin it again.
function move(parent, child, before = null) {
  if (child.parentNode === parent && child.nextSibling === before) return;
  if (parent.moveBefore && parent.isConnected && child.isConnected) { parent.moveBefore(child, before); return; }
  const playing = [child, ...child.querySelectorAll("video")].filter((each) => each.paused === false);
  parent.insertBefore(child, before);
  playing.forEach((video) => video.play().catch(() => {}));
}

function put(parent, children) { // in this order; what stands where it should is not touched
  [...parent.children].forEach((child) => { if (!children.includes(child)) child.remove(); });
  children.forEach((child, place) => { if (parent.children[place] !== child) move(parent, child, parent.children[place] ?? null); });
}

// -- one job on the stage ---------------------------------------------------------------------------------------------

function newTile(stage) {
  const root = make("div", "stage-tile"), ground = make("div", "stage-ground");
  const time = make("div", "stage-time"), say = make("div", "stage-say"), bar = make("div", "stage-bar");
  bar.append(make("i"));
  const tell = set(make("button", "stage-tell"), { type: "button", "data-notify": "", hidden: "" }), own = make("span", "stage-own");
  tell.append(icon("bell"), "Tell me when it is done");
  tell.addEventListener("click", () => { window.__studioLive?.notify?.ask(); tell.hidden = true; });
  ground.append(time, say, bar, tell);
  root.append(ground, own);
  const tile = { root, job: null, video: null, update, tick, toggle, mute, full, pressed };
  let controls = null, hear = null, play = null, at = null, clock = null, sound = null, keep = null, tells = false;

  function update(job, words, alone, plays, isFirst, place) {
    tile.job = job;
    tells = isFirst; // once for a batch
    own.hidden = alone || !job.own;
    set(own, { text: job.own ?? "", dir: "auto" });
    words = [job.own ?? "", alone ? "" : place, words].filter(Boolean).join(", ");
    if (job.look === "done") root.classList.add(`st-key-clip-${job.id}`);
    set(root, { "data-look": job.look, "aria-label": words, role: "group" });
    root.style.setProperty("--ratio", ratioOf(job));
    if (job.look === "done" && !tile.video) addVideo(words, plays);
    else if (tile.video && tile.video.parentNode !== root) move(root, tile.video, hear);
    if (tile.video) {
      classed(root, "stage-alone", alone);
      sound.hidden = !job.sound;
      keep.hidden = alone; // one clip has its link below
      hear.hidden = !job.sound || heard.has(job.id);
    }
    tick();
  }

  function addVideo(words, plays) {
    const video = tile.video = stage.video(tile.job.id), arrived = () => root.classList.add("stage-here");
    set(video, { "aria-label": words, "aria-hidden": null });
    if (plays) {
      video.preload = "auto";
      ["loadeddata", "error"].forEach((name) => video.addEventListener(name, arrived, { once: true }));
      setTimeout(arrived, 1000); // its poster is as good
    }
    if (!plays || video.readyState > 1) arrived();
    video.addEventListener("error", () => { set(time, { text: "" }); set(say, { text: "This clip cannot be played here. Download it." }); root.classList.add("stage-broken"); }, { once: true });
    controls = make("div", "stage-controls");
    play = button("stage-button", "Play", "play", toggle);
    clock = make("span", "stage-clock");
    at = set(make("input", "stage-seek"), { type: "range", min: 0, max: 1000, value: 0, step: "any", "aria-label": "Position" });
    at.addEventListener("input", () => { video.currentTime = at.value / 1000 * (video.duration || 0); tick(); });
    sound = button("stage-button", "Sound", "mute", mute);
    const whole = button("stage-button", "Full screen", "full", full), open = button("stage-button", "Open large", "large", large);
    keep = set(make("a", "stage-button"), { href: `${BASE}/take-away?ids=${encodeURIComponent(tile.job.id)}`, download: tile.job.file ?? "", "aria-label": "Download", title: "Download" });
    keep.append(icon("keep"));
    controls.append(play, clock, at, sound, keep, open, whole);
    hear = set(make("button", "stage-hear"), { type: "button" });
    hear.append(icon("loud"), make("span", "", "Hear it"));
    hear.addEventListener("click", mute);
    root.append(hear, controls);
    move(root, video, hear);
    if (plays && !CALM.matches) video.play().catch(() => {});
  }

  function pressed() {
    if (root.classList.contains("stage-alone")) large(); else stage.choose(tile.job.id);
  }

  function large() { stage.large(tile.job.id, tile.video.currentTime); }

  function toggle() {
    const { video } = tile;
    if (!video) return;
    if (video.paused) video.play().catch(() => {}); else video.pause();
  }

  function mute() {
    const { video, job } = tile;
    if (!video || !job.sound) return;
    const loud = video.muted;
    stage.tiles.forEach((other) => { if (other.video) other.video.muted = true; }); // one is heard at a time
    video.muted = !loud;
    if (loud) {
      heard.add(job.id);
      hear.hidden = true;
      video.play().catch(() => {});
    }
  }

  function full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (root.requestFullscreen) root.requestFullscreen().catch(() => {});
    else tile.video?.webkitEnterFullscreen?.(); // iPhones know it for videos only
  }

  function tick() {
    const { job, video } = tile;
    if (video) {
      if (video.parentNode !== root) return; // it is back on the strip
      const length = video.duration || 0, name = video.paused ? "Play" : "Pause";
      if (play.title !== name) { set(play, { "aria-label": name, title: name }); draw(play.firstChild, video.paused ? "play" : "pause"); }
      const label = video.muted ? "Sound on" : "Sound off";
      if (sound.title !== label) { set(sound, { "aria-label": label, title: label }); draw(sound.firstChild, video.muted ? "mute" : "loud"); }
      set(video.closest(".stage-tile") ?? video, { "data-still": video.paused ? "" : null });
      const text = length ? `${minutes(video.currentTime)} / ${minutes(Math.round(length))}` : "";
      set(clock, { text });
      if (length && !at.matches(":active")) at.value = 1000 * video.currentTime / length;
      at.style.setProperty("--at", `${at.value / 10}%`);
      set(at, { "aria-valuetext": text.replace("/", "of") });
      return;
    }
    const seconds = job.since ? stage.seconds(job) : 0, late = job.high && seconds > job.high;
    const usual = late ? "longer than usual" : job.usual;
    set(time, { text: job.look === "made" ? minutes(seconds) : job.look === "waiting" ? job.say ?? "" : "" });
    set(say, { text: job.look === "made" ? [job.say, usual].filter(Boolean).join(", ") : "" });
    bar.hidden = job.look !== "made" || !job.high;
    classed(bar, "stage-late", Boolean(late));
    bar.firstChild.style.width = `${job.high ? Math.min(100, 100 * seconds / job.high) : 0}%`;
    const notify = window.__studioLive?.notify;
    tell.hidden = !(tells && isSecureContext && notify?.available && !notify.on);
  }

  return tile;
}

// -- the strip --------------------------------------------------------------------------------------------------------

function newThumb(stage) {
  const root = make("li", "stage-item"), choose = set(make("button", "stage-thumb"), { type: "button", tabindex: -1 });
  const pictures = make("span", "stage-pictures"), words = set(make("span", "stage-caption"), { "aria-hidden": "true" });
  const cancel = set(make("button", "stage-cancel", "Cancel (nothing spent)"), { type: "button", tabindex: -1 });
  choose.append(pictures, words);
  root.append(choose);
  const parts = new Map();
  const thumb = { root, choose, cancel, card: null, update, tick };
  choose.addEventListener("click", () => stage.choose(thumb.card.key));
  choose.addEventListener("dblclick", () => { if (thumb.card.of === 1 && thumb.card.jobs[0].look === "done") stage.large(thumb.card.jobs[0].id); });
  cancel.addEventListener("click", () => stage.send("cancel", thumb.card.jobs[0].id));

  function update(card, isChosen, isOn, isMine) {
    thumb.card = card;
    const [first] = card.jobs, several = card.of > 1, waits = !several && ["waiting", "held"].includes(first.look);
    set(root, { "data-look": several ? "batch" : first.look, "data-count": several ? Math.min(card.of, 4) : null });
    if (isMine && ID.test(card.key)) root.classList.add(`st-key-task-${card.key}`);
    root.style.setProperty("--ratio", several ? 16 / 9 : Math.max(ratioOf(first), 9 / 16));
    const state = several ? `${card.done} of ${card.of} done` : waits ? first.say ?? first.word : first.word;
    set(choose, { "aria-current": isChosen ? "true" : null, "aria-label": `${state}: ${card.words.length > 80 ? card.words.slice(0, 80).replace(/\s+\S*$/, " …") : card.words}` });
    set(words, { text: several ? `${card.words.slice(0, 40)} · ${card.done} done` : card.words });
    const shown = card.jobs.slice(0, several ? 4 : 1);
    const places = shown.map((job) => partOf(job));
    put(pictures, places);
    shown.forEach((job, at) => fill(places[at], job, isOn(job), isMine));
    for (const id of parts.keys()) if (!shown.some((job) => job.id === id)) parts.delete(id);
    const queued = waits && Boolean(first.say);
    classed(root, "stage-queued", queued);
    if (queued && first.cancel && !isOn(first)) root.append(cancel); else cancel.remove();
    tick();
  }

  function partOf(job) {
    if (!parts.has(job.id)) parts.set(job.id, make("span", "stage-picture"));
    return parts.get(job.id);
  }

  function fill(part, job, isOn, isMine) {
    const kind = job.look !== "done" || lost.has(job.id) ? "span" : isMine && !isOn ? "video" : "img";
    if (part.dataset.kind !== kind) {
      part.replaceChildren();
      part.dataset.kind = kind;
      const inner = make(kind === "video" ? "span" : kind, kind === "span" ? "stage-word" : "");
      if (kind === "img") {
        Object.assign(inner, { alt: "", loading: "lazy", decoding: "async", src: clip(job.id, "jpg") });
        inner.addEventListener("error", () => { lost.add(job.id); fill(part, job, isOn, isMine); tick(); }, { once: true });
      }
      if (kind !== "video") part.append(inner);
    }
    if (kind === "video" && !part.firstChild) move(part, set(stage.video(job.id), { "aria-hidden": "true", "aria-label": null }));
    set(part, { "data-look": job.look, "data-clip": job.look === "done" && isOn ? job.id : null });
    classed(part, `st-key-clip-${job.id}`, job.look === "done" && !isOn);
    part.job = job;
  }

  function tick() {
    for (const part of parts.values()) {
      if (part.dataset.kind !== "span") continue;
      const { job } = part, queued = root.classList.contains("stage-queued");
      set(part.firstChild, { text: queued ? job.say : job.look === "made" && job.since && job.word !== "Queued" ? minutes(stage.seconds(job)) : job.word });
      part.firstChild.title = queued ? job.why ?? "" : "";
    }
  }

  return thumb;
}

function newShelf(stage, name) {
  const root = make("section", "stage-shelf"), list = make("ul");
  set(root, { "aria-label": name });
  root.append(make("h2", "stage-heading", name), list);
  const thumbs = new Map();
  return {
    root, thumbs,
    update(cards, chosen, isOn, isMine) {
      for (const key of thumbs.keys()) if (!cards.some((card) => card.key === key)) thumbs.delete(key);
      for (const { key } of cards) if (!thumbs.has(key)) thumbs.set(key, newThumb(stage));
      put(list, cards.map(({ key }) => thumbs.get(key).root));
      for (const card of cards) thumbs.get(card.key).update(card, card.key === chosen, isOn, isMine);
      root.hidden = !cards.length;
    },
  };
}

// -- the first run ----------------------------------------------------------------------------------------------------

function newFirst(stage) {
  const root = make("section", "stage-first"), grid = make("div", "stage-six");
  root.append(make("h2", "", "Start from one of these"), make("p", "", "A press fills the prompt and the settings. Change what you like, then generate."), grid);
  let drawn = "";
  return {
    root,
    update(templates) {
      const now = JSON.stringify(templates);
      if (now === drawn) return;
      drawn = now;
      grid.replaceChildren(...templates.filter(({ id }) => ID.test(id)).map(({ id, title, teaches, square }) => {
        const card = set(make("button", "stage-template"), { type: "button", "aria-label": title, "data-square": square ? "" : null });
        const picture = make("span", "stage-picture");
        picture.append(Object.assign(make("img"), { alt: "", src: `${BASE}/posters/${id}.jpg`, width: 320, height: 180 }), make("span", "stage-use", "Use this"));
        card.append(picture, make("span", "stage-title", title), make("span", "stage-teaches", teaches));
        let timer = null, video = null;
        const leave = () => { clearTimeout(timer); video?.remove(); video = null; };
        const enter = () => {
          clearTimeout(timer);
          if (CALM.matches || video) return;
          timer = setTimeout(() => {
            video = Object.assign(make("video"), { muted: true, loop: true, playsInline: true, src: `${BASE}/posters/${id}.mp4` });
            set(video, { "aria-hidden": "true", tabindex: -1 });
            video.addEventListener("error", leave);
            picture.insertBefore(video, picture.lastChild);
            video.play().catch(() => {});
          }, 120);
        };
        for (const name of ["pointerenter", "focus"]) card.addEventListener(name, enter);
        for (const name of ["pointerleave", "blur"]) card.addEventListener(name, leave);
        card.addEventListener("click", () => stage.send("use", id));
        return card;
      }));
    },
  };
}

// -- all of it --------------------------------------------------------------------------------------------------------

function newStage(parent) {
  const root = make("div", "stage-root"), box = make("div", "stage-box"), strip = make("div", "stage-strip");
  const hint = make("div", "stage-hint"), hintWords = make("span");
  const mini = set(make("button", "stage-mini"), { type: "button", "aria-label": "Show the clip" });
  const miniTime = make("b"), miniSay = make("span"), miniBar = make("div", "stage-bar"), miniMore = make("span", "stage-more");
  const shut = button("stage-shut", "Back to the form", "down", () => history.back());
  const body = parent.closest(".st-key-stage_body") ?? document.body;
  let facts = null, last = "", wanted = null, chosenByServer = "", skew = 0, focus = null, timer = null, current = "", hintShown = "", left = [];
  const clips = new Map(); // the <video> of each clip of this session, wherever it stands
  const stage = { tiles: new Map(), send, choose, large, seconds, video };
  const mine = newShelf(stage, "This session"), recent = newShelf(stage, "Recent clips"), first = newFirst(stage);
  miniBar.append(make("i"));
  mini.append(miniTime, miniSay, miniMore, icon("up"), miniBar);
  hint.append(hintWords, button("stage-button", "Do not show this again", "close", () => { hint.hidden = true; }));
  hint.hidden = true;
  strip.append(mine.root, recent.root);
  root.append(box, mini, shut, strip, hint);
  parent.append(root);

  function send(what, of) {
    stage.trigger("did", { what, of, run: document.querySelector("[data-run]")?.dataset.run ?? "", at: Date.now() });
  }

  function seconds(job) { return Math.max(0, (Date.now() - skew - job.since) / 1000); }

  function large(id, time = 0) { document.dispatchEvent(new CustomEvent("studio:clip", { detail: { id, among: "", time } })); }

  function choose(key) {
    wanted = { key, until: Date.now() + 4 * REPEAT, next: Date.now() + REPEAT };
    send("choose", key);
    show();
  }

  function read() {
    const element = body.querySelector("[data-stage]");
    if (!element || element.dataset.stage === last) return;
    last = element.dataset.stage;
    facts = JSON.parse(last);
    skew = Date.now() - Number(element.dataset.now);
    if (wanted && (facts.chosen === wanted.key || facts.chosen !== chosenByServer)) wanted = null;
    chosenByServer = facts.chosen;
    if (focus === null) focus = facts.focus[0];
    else if (facts.focus[0] !== focus) { [focus] = facts.focus; moveFocus(facts.focus[1]); }
    show();
  }

  function show() {
    if (!facts) return;
    const chosen = wanted?.key ?? facts.chosen;
    const cards = [...facts.mine, ...facts.on, ...facts.recent];
    const card = cards.find((each) => each.key === chosen) ?? cards.find((each) => each.jobs.some((job) => job.id === chosen));
    const jobs = !card ? [] : card.key === chosen ? card.jobs : card.jobs.filter((job) => job.id === chosen);
    const isFirst = !card && Boolean(facts.first);
    if (isFirst) { first.update(facts.first); if (!first.root.parentNode) root.prepend(first.root); } else first.root.remove();
    box.hidden = !jobs.length;
    const gone = [...stage.tiles].filter(([id]) => !jobs.some((job) => job.id === id));
    gone.forEach(([id]) => stage.tiles.delete(id));
    for (const job of jobs) {
      if (!stage.tiles.has(job.id)) {
        stage.tiles.set(job.id, newTile(stage));
        box.append(stage.tiles.get(job.id).root);
      }
      stage.tiles.get(job.id).update(job, card.words, jobs.length === 1, jobs.length <= PLAYED_AT_ONCE, job === jobs.find(({ look }) => look === "made"), `${jobs.indexOf(job) + 1} of ${jobs.length}`);
    }
    arrange(jobs);
    const isOn = (job) => stage.tiles.has(job.id);
    mine.update(facts.mine, card?.key, isOn, true);
    recent.update(facts.recent, card?.key, isOn, false);
    put(box, jobs.map((job) => stage.tiles.get(job.id).root)); // those that left have given their clips away
    leave(gone.map(([, tile]) => tile.video).filter(Boolean));
    strip.hidden = !facts.mine.length && !facts.recent.length;
    rove(card?.key);
    showMini(jobs, card);
    showHint(jobs);
  }

  // A clip that leaves the stage is silent. It goes on playing on the strip until the next one leaves.
  function leave(videos) {
    if (!videos.length) return;
    for (const video of left) if (!videos.includes(video) && video.closest(".stage-strip")) video.pause();
    left = videos.slice(0, 1);
    videos.forEach((video) => { video.muted = true; });
    videos.slice(1).forEach((video) => video.pause());
    for (const [id, video] of clips) if (!root.contains(video) || !video.closest(".stage-tile, .stage-picture")) clips.delete(id);
  }

  function video(id) {
    if (clips.has(id)) return clips.get(id);
    const made = make("video"), tick = () => stage.tiles.get(id)?.tick();
    Object.assign(made, { muted: true, loop: true, playsInline: true, preload: "none", poster: clip(id, "jpg"), src: clip(id, "mp4") });
    set(made, { muted: "", tabindex: -1 });
    made.addEventListener("click", () => stage.tiles.get(id)?.pressed());
    for (const name of ["play", "pause", "volumechange"]) made.addEventListener(name, tick);
    clips.set(id, made);
    return made;
  }

  // As many columns as make the tiles largest; upright ones stand in one row, and words beside them if
  // that makes them larger. Three in two rows leave a place free: the words stand there.
  function arrange(jobs) {
    if (!jobs.length) return;
    const count = jobs.length, failed = count === 1 && ["failed", "ended"].includes(jobs[0].look), ratio = failed ? 16 / 9 : ratioOf(jobs[0]);
    const room = body.clientWidth || 900, isWide = innerWidth > 1100, given = body.closest(".st-key-stage").clientHeight, isShort = !isWide || given < 820;
    const high = isWide ? given - 32 - (isShort ? 86 : 172) : innerHeight * 0.55;
    const fit = (wide, tall, gap) => {
      let best = { columns: 1, size: 0 };
      for (let columns = 1; columns <= count; columns += 1) {
        const rows = Math.ceil(count / columns);
        const size = Math.min((wide - gap * (columns - 1)) / columns, ratio * (tall - gap * (rows - 1)) / rows);
        if (size > best.size + 0.5 || (ratio < 0.9 && columns === count && count <= 4)) best = { columns, size };
      }
      return best;
    };
    const under = fit(room, isWide ? high - 60 : high, 8), beside = fit(room - 212, high, 24);
    const side = PHONE.matches ? null : ratio < 1.1 && beside.size >= under.size ? "right"
      : count === 3 && under.columns === 2 && under.size >= 340 ? "hole" : null;
    const { columns } = side === "right" ? beside : under;
    // Also on the body: a style that asks with :has() costs 40 ms in each run of the page.
    set(body, { "data-side": side, "data-short": isShort ? "" : null });
    set(box, { "data-several": count > 1 ? "yes" : null });
    root.style.setProperty("--mini-wide", `${Math.round(Math.min(100, 56 * (count > 1 ? 16 / 9 : ratio)))}px`);
    const sizes = { "--ratio": ratio, "--columns": columns, "--rows": Math.ceil(count / columns), "--gap": side === "right" ? "24px" : "8px" };
    for (const [name, value] of Object.entries(sizes)) body.style.setProperty(name, value);
  }

  // One stop of the Tab key for the whole strip.
  function rove(key) {
    const all = thumbs();
    if (!all.some((thumb) => thumb.card.key === current)) current = key ?? "";
    const at = all.find((thumb) => thumb.card.key === current) ?? all[0];
    for (const thumb of all) for (const element of [thumb.choose, thumb.cancel]) set(element, { tabindex: thumb === at ? 0 : -1 });
  }

  function thumbs() { return [...facts.mine.map((card) => mine.thumbs.get(card.key)), ...facts.recent.map((card) => recent.thumbs.get(card.key))]; }

  function step(by) {
    const all = thumbs(), now = all.findIndex((thumb) => thumb.card.key === current);
    const next = all[Math.max(0, Math.min(all.length - 1, typeof by === "number" ? (document.activeElement?.closest(".stage-strip") ? now + by : now) : by === "first" ? 0 : all.length - 1))];
    if (!next) return;
    current = next.card.key;
    rove();
    next.choose.focus();
    next.root.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function showMini(jobs, card) {
    const [job] = jobs, running = facts.mine.flatMap((each) => each.jobs).filter(({ look }) => ["made", "waiting", "held"].includes(look)).length;
    const shown = Boolean(job) && facts.mine.length > 0;
    set(document.documentElement, { "data-stage-mini": shown ? "yes" : null, "data-stage-first": !card && facts.first ? "yes" : null });
    mini.hidden = !shown;
    if (!shown) return;
    mini.job = jobs.find(({ look }) => look === "made") ?? job;
    const others = running - jobs.filter(({ look }) => ["made", "waiting", "held"].includes(look)).length;
    set(miniMore, { text: others > 0 ? `+${others}` : "" });
    tickMini();
  }

  function tickMini() {
    const { job } = mini;
    if (!job || mini.hidden) return;
    const made = job.look === "made", spent = made ? seconds(job) : 0;
    set(miniTime, { text: made ? minutes(spent) : job.look === "done" ? "Done" : job.say ?? job.word });
    set(miniSay, { text: made ? ["being made", job.high && spent > job.high ? "longer than usual" : job.usual].filter(Boolean).join(", ") : job.look === "done" ? "· play" : job.look === "failed" ? "· see why" : "" });
    miniBar.hidden = !made || !job.high;
    miniBar.firstChild.style.width = `${job.high ? Math.min(100, 100 * spent / job.high) : 0}%`;
    const pinned = document.querySelector(".st-key-pinned");
    if (PHONE.matches && pinned) root.style.setProperty("--mini", `${Math.max(0, Math.round(innerHeight - pinned.getBoundingClientRect().top - 64))}px`);
  }

  // Each hint is seen once in a browser, and not again whether it was read or put away.
  function showHint(jobs) {
    if (PHONE.matches) return; // they tell of keys
    const looks = new Set(jobs.map(({ look }) => look));
    const wish = looks.has("made") ? "made" : looks.has("done") ? (facts.mine.length + facts.recent.length > 1 && known().includes("done") ? "strip" : "done") : "";
    if (wish === hintShown && wish) return;
    if (hintShown && wish !== hintShown) hint.hidden = true;
    if (!wish || known().includes(wish)) return;
    hintShown = wish;
    try { localStorage.setItem("studio-hints", [...known(), wish].join(" ")); } catch { return; } // else it would come again
    set(hintWords, { text: HINTS[wish] });
    hint.hidden = false;
  }

  function known() {
    try { return (localStorage.getItem("studio-hints") ?? "").split(" ").filter((each) => each in HINTS); } catch { return Object.keys(HINTS); }
  }

  function moveFocus(place, tries = 40) {
    const isBusy = document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState !== "notRunning";
    if (isBusy && tries) { setTimeout(moveFocus, 75, place, tries - 1); return; }
    close();
    const field = document.querySelector(".st-key-composer-prompt textarea, [class*=st-key-composer-shot_1] textarea");
    const target = place === "generate" ? document.querySelector('[class*="st-key-composer-generate-"] button') : field;
    target?.focus();
    if (place !== "mend" || !field) return;
    const around = field.closest("[data-testid=stElementContainer]");
    set(around, { "data-mend": "yes" });
    field.addEventListener("input", () => around.removeAttribute("data-mend"), { once: true });
  }

  // On a phone the card above the button opens the stage over the form; Back closes it again.
  const isOpen = () => document.documentElement.dataset.stage === "open";
  function open() {
    if (isOpen()) return;
    history.pushState({ ...history.state, stage: "open" }, "");
    document.documentElement.dataset.stage = "open";
    document.querySelector(".st-key-column")?.setAttribute("inert", "");
    shut.focus();
  }
  function closed() {
    delete document.documentElement.dataset.stage;
    document.querySelector(".st-key-column")?.removeAttribute("inert");
  }
  function close() { if (isOpen()) history.back(); }
  function popped(event) {
    if (!isOpen() || document.querySelector("dialog.viewer[open]")) return; // the lightbox takes it
    event.stopImmediatePropagation(); // Streamlit would take it for another page
    closed();
    mini.focus();
  }
  mini.addEventListener("click", open);
  let from = null;
  box.addEventListener("touchstart", ({ touches: [touch] }) => { from = [touch.clientX, touch.clientY]; }, { passive: true });
  box.addEventListener("touchend", ({ changedTouches: [touch] }) => {
    if (from && isOpen() && touch.clientY - from[1] > 80 && Math.abs(touch.clientX - from[0]) < 60) close();
    from = null;
  }, { passive: true });

  function keyed(event) {
    const { target, key } = event, at = target instanceof Element ? target : document.body;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !facts) return;
    if (at !== document.body && !at.closest(".st-key-stage")) return;
    if (document.querySelector('dialog[open], [role="dialog"], [data-testid="stPopoverBody"]')) return;
    const isSeek = at.matches("input, textarea, select"), isPress = event.composedPath().some((each) => each.matches?.("button, a"));
    const inStrip = Boolean(at.closest(".stage-strip")), [tile] = [...stage.tiles.values()].filter(({ root: each }) => each.contains(at)).concat([...stage.tiles.values()]);
    const acts = {
      " ": isPress || isSeek ? null : tile?.toggle, f: tile?.video && tile.full, m: tile?.mute,
      j: () => step(1), k: () => step(-1), r: () => document.querySelector(".st-key-stage-remix button")?.click(),
      ArrowRight: inStrip ? () => step(1) : null, ArrowLeft: inStrip ? () => step(-1) : null,
      Home: inStrip ? () => step("first") : null, End: inStrip ? () => step("last") : null,
      Escape: isOpen() ? close : null,
    };
    const act = acts[key.length === 1 ? key.toLowerCase() : key];
    if (!act || (isSeek && key.length > 1) || at.matches("textarea, [type=text], [type=search]")) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // Streamlit draws the page again on R
    act();
  }

  // Copying works on plain http too, where a browser has no navigator.clipboard.
  async function copied(event) {
    const link = event.target instanceof Element ? event.target.closest(".st-key-stage_buttons a[data-copy]") : null;
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const done = await navigator.clipboard?.writeText(link.href).then(() => true, () => false) || byHand(link.href);
    const words = link.querySelector(".stage-label");
    set(words, { text: done ? "Copied" : "Press Ctrl+C" });
    link.dataset.said = "yes";
    setTimeout(() => { set(words, { text: "Copy link" }); delete link.dataset.said; }, 2000);
  }

  function tick() {
    if (document.hidden) return;
    stage.tiles.forEach((tile) => tile.tick());
    if (!facts) return;
    tickMini();
    thumbs().forEach((thumb) => thumb.tick());
    if (!wanted || Date.now() < wanted.next) return;
    if (Date.now() > wanted.until) { wanted = null; show(); return; }
    wanted.next += REPEAT; // another trigger of the same moment has taken its place
    send("choose", wanted.key);
  }

  const watcher = new MutationObserver((changes) => { if (changes.some(({ target }) => !root.contains(target))) read(); });
  const resized = () => {
    body.style.setProperty("--stage-wide", box.clientWidth ? `${box.clientWidth}px` : "100%");
    if (facts) show();
  };
  let room = null;
  stage.start = () => {
    if (timer) return;
    timer = setInterval(tick, 200);
    watcher.observe(body, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-stage"] });
    room = new ResizeObserver(resized);
    room.observe(body);
    room.observe(box);
    addEventListener("keydown", keyed, true);
    addEventListener("popstate", popped, true);
    addEventListener("click", copied);
    read();
  };
  stage.stop = () => {
    clearInterval(timer);
    timer = null;
    watcher.disconnect();
    room?.disconnect();
    removeEventListener("keydown", keyed, true);
    removeEventListener("popstate", popped, true);
    removeEventListener("click", copied);
    closed();
    set(document.documentElement, { "data-stage-mini": null, "data-stage-first": null });
  };
  return stage;
}

function byHand(text) {
  const give = (event) => { event.clipboardData.setData("text/plain", text); event.preventDefault(); event.stopImmediatePropagation(); };
  document.addEventListener("copy", give, true);
  try { return document.execCommand("copy"); } finally { document.removeEventListener("copy", give, true); }
}

export default function ({ parentElement, setTriggerValue }) {
  const stage = parentElement.studioStage ??= newStage(parentElement);
  stage.trigger = setTriggerValue;
  stage.start();
  return stage.stop;
}
