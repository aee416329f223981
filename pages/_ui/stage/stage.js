// The pictures of the stage: the player, what is being made, the strip of clips, the first six templates.
const REPEAT = 1500; // milliseconds after which a press that had no effect is sent once more
const PLAYED_AT_ONCE = 4; // tiles of a batch

function newStage(parent) {
  const root = make("div", "stage-root"), box = make("div", "stage-box"), strip = make("div", "stage-strip");
  const body = parent.closest(".st-key-stage_body") ?? document.body;
  let facts = null, last = "", wanted = null, chosenByServer = "", skew = 0, focus = null, timer = null, current = "", left = [];
  const clips = new Map(); // the <video> of each clip of this session, wherever it stands
  const stage = { tiles: new Map(), send, choose, large, seconds, video };
  const mine = newShelf(stage, "This session"), recent = newShelf(stage, "Recent clips"), first = newFirst(stage);
  const hints = newHints(), phone = newPhone(root, box, seconds);
  strip.append(mine.root, recent.root);
  root.append(box, phone.card, phone.shut, strip, hints.root);
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
    arrange(jobs, { root, body, box });
    const isOn = (job) => stage.tiles.has(job.id);
    mine.update(facts.mine, card?.key, isOn, true);
    recent.update(facts.recent, card?.key, isOn, false);
    put(box, jobs.map((job) => stage.tiles.get(job.id).root)); // those that left have given their clips away
    leave(gone.map(([, tile]) => tile.video).filter(Boolean));
    strip.hidden = !thumbs().length;
    rove(card?.key);
    phone.update(jobs, facts.mine.flatMap((each) => each.jobs).filter(isUnderWay).length, jobs.length > 0 && facts.mine.length > 0, isFirst);
    hints.update(jobs, thumbs().length > 1);
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

  function moveFocus(place, tries = 40) {
    const isBusy = document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState !== "notRunning";
    if (isBusy && tries) { setTimeout(moveFocus, 75, place, tries - 1); return; }
    phone.close();
    const field = document.querySelector(".st-key-composer-prompt textarea, [class*=st-key-composer-shot_1] textarea");
    const target = place === "generate" ? document.querySelector('[class*="st-key-composer-generate-"] button') : field;
    target?.focus();
    if (place !== "mend" || !field) return;
    const around = field.closest("[data-testid=stElementContainer]");
    set(around, { "data-mend": "yes" });
    field.addEventListener("input", () => around.removeAttribute("data-mend"), { once: true });
  }

  function press(name) { document.querySelector(`.st-key-stage-${name} button`)?.click(); }

  function keyed(event) {
    const { target, key } = event, at = target instanceof Element ? target : document.body;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !facts) return;
    if (at !== document.body && !at.closest(".st-key-stage, .stMain:focus")) return;
    if (document.querySelector('dialog[open], [role="dialog"], [data-testid="stPopoverBody"]')) return;
    const isSeek = at.matches("input, textarea, select"), isPress = event.composedPath().some((each) => each.matches?.("button, a"));
    const inStrip = at.closest(".stage-strip"), all = [...stage.tiles.values()], tile = all.find(({ root: each }) => each.contains(at)) ?? all[0];
    const acts = {
      " ": isPress || isSeek ? null : tile?.toggle, f: tile?.video && tile.full, m: tile?.mute,
      j: () => step(1), k: () => step(-1), r: () => press("remix"), s: () => press("star"),
      ArrowRight: inStrip ? () => step(1) : null, ArrowLeft: inStrip ? () => step(-1) : null,
      Home: inStrip ? () => step("first") : null, End: inStrip ? () => step("last") : null,
      Escape: phone.isOpen() ? phone.close : null,
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
    phone.tick();
    thumbs().forEach((thumb) => thumb.tick());
    if (!wanted || Date.now() < wanted.next) return;
    if (Date.now() > wanted.until) { wanted = null; show(); return; }
    wanted.next += REPEAT; // another trigger of the same moment has taken its place
    send("choose", wanted.key);
  }

  const watcher = new MutationObserver((changes) => { if (changes.some(({ target }) => !root.contains(target))) read(); });
  const room = new ResizeObserver(() => {
    body.style.setProperty("--stage-wide", box.clientWidth ? `${box.clientWidth}px` : "100%");
    if (facts) show();
  });
  stage.start = () => {
    if (timer) return;
    timer = setInterval(tick, 200);
    watcher.observe(body, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-stage"] });
    room.observe(body);
    room.observe(box);
    addEventListener("keydown", keyed, true);
    phone.start();
    addEventListener("click", copied);
    read();
  };
  stage.stop = () => {
    clearInterval(timer);
    timer = null;
    watcher.disconnect();
    room.disconnect();
    removeEventListener("keydown", keyed, true);
    removeEventListener("click", copied);
    phone.stop();
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
