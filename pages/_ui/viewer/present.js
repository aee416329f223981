// Present: clips on the whole screen, one after the other. It needs no run of the script, and nothing but our own files.
const IDLE = 2500, STUCK = 4000; // milliseconds until the controls go; for which a clip that cannot be played stays
const CAPTIONS = ["Captions with prompts", "Captions without prompts", "No captions"];

function newPresent(lightbox) {
  const root = set(make("dialog", "present"), { "aria-label": "Present" }), whole = set(make("div", "present-screen"), { tabindex: -1 });
  const shade = set(make("div", "present-shade"), { hidden: "" }), caption = make("div", "present-caption"), bar = make("div", "present-bar");
  const words = set(make("p", "present-words"), { dir: "auto" }), facts = make("p", "present-facts"), place = set(make("span", "viewer-place"), { role: "status" });
  const help = set(make("div", "present-keys"), { hidden: "" }), says = set(make("p", "present-says"), { role: "status", hidden: "" });
  const videos = [0, 1].map(() => set(Object.assign(make("video"), { muted: true, playsInline: true, preload: "auto" }), { muted: "", tabindex: -1 }));
  const act = (press) => () => { press(); draw(); wake(); };
  const back = button("The one before", "chevron_left", act(() => step(-1)), { key: "←" }), on = button("The next one", "chevron_right", act(() => step(1)), { key: "→" });
  const playing = button("Pause", "pause", act(toggle), { key: "Space" }), sound = button("Sound on", "volume_off", act(mute), { key: "M" });
  const auto = button("Go on by itself", "slideshow", act(() => { isAuto = !isAuto; }), { key: "A" }), loop = button("Begin again at the end", "repeat", act(() => { isLoop = !isLoop; }), { key: "L" });
  const captions = button(CAPTIONS[0], "notes", act(() => { worded = (worded + 1) % 3; }), { key: "C" }), full = button("Full screen", "fullscreen", act(screenful), { key: "F" });
  const keys = button("Keys", "keyboard", act(() => { help.hidden = !help.hidden; }), { key: "?" }), end = button("End", "close", stop, { key: "Esc" });
  const KEYS = [["← →", "The one before, the next one"], ["Space", "Play or pause"], ["A", "Go on by itself, or not"], ["L", "Begin again at the end, or not"], ["C", "Captions: with prompts, without, none"], ["B W", "Black or white screen"], ["M", "Sound on or off"], ["F", "Full screen"], ["Home End", "The first, the last"], ["Esc", "End"]];
  let clips = [], at = 0, shown = 0, isAuto = true, isLoop = true, worded = 0, idle = 0, stuck = 0, wasLightbox = false, isFull = false, lock = null, unhush = () => {}, opener = null, from = null, isLoud = false, isLeaving = false;

  for (const [caps, what] of KEYS) {
    const line = make("p"), name = make("span");
    name.append(...caps.split(" ").map((each) => make("kbd", "", each)));
    line.append(name, make("span", "", what));
    help.append(line);
  }
  caption.append(words, facts);
  bar.append(place, make("span", "viewer-gap"), back, playing, on, sound, auto, loop, captions, keys, full, end);
  whole.append(...videos, caption, says, help, bar, shade);
  root.append(whole);

  async function start({ ids = null, among = "", at: first = "" }) {
    if (root.open) return;
    opener = document.activeElement;
    wasLightbox = lightbox.suspend();
    unhush = hush(root);
    if (!wasLightbox) history.pushState({ ...history.state, studioPresent: true }, "", location.href); // for Back
    if (!root.isConnected) document.body.append(root);
    clips = [];
    shade.hidden = help.hidden = true;
    root.showModal();
    whole.focus();
    screenful(); // while the press counts as one
    say("…");
    draw();
    wake();
    const query = ids ? asked({ ids: ids.join(",") }, "") : asked({ list: "1", ...first && { at: first } }, among);
    const said = await told(query);
    if (!root.open) return;
    if (said.why || !said.clips.length) { say(said.why ?? "There is no clip to show here."); return; }
    clips = said.clips;
    isAuto = clips.length > 1;
    keepAwake();
    show(Math.max(0, clips.findIndex((each) => each.id === first)));
  }

  function show(index) {
    clearTimeout(stuck);
    at = (index + clips.length) % clips.length;
    const next = videos[1 - shown], last = videos[shown], clip = clips[at];
    load(next, clip);
    shown = 1 - shown;
    next.currentTime = 0;
    next.muted = !isLoud;
    next.dataset.on = "";
    delete last.dataset.on;
    last.pause();
    play(next);
    say("");
    draw();
    if (clips.length > 1) setTimeout(() => { if (videos[shown] === next) load(last, clips[(at + 1) % clips.length]); }, 400); // after it has faded
  }

  function load(video, clip) {
    if (video.dataset.of === clip.id && !video.error) return;
    video.dataset.of = clip.id;
    Object.assign(video, { poster: clip.poster, src: clip.src });
    set(video, { "aria-label": clip.prompt || "Clip" });
  }

  function jump(index) { if (shade.hidden) show(index); else shadeWith(""); }
  function step(by) { if (clips.length) jump(at + by); }
  function toggle() { const video = videos[shown]; if (video.paused) play(video); else video.pause(); }
  function mute() { isLoud = !isLoud; videos[shown].muted = !isLoud; }

  function ended({ target }) {
    if (target !== videos[shown]) return;
    if (isAuto && clips.length > 1 && (isLoop || at < clips.length - 1)) show(at + 1);
    else draw();
  }

  function failed({ target }) {
    if (target !== videos[shown] || !target.getAttribute("src")) return;
    say("This clip cannot be played here.");
    if (isAuto && clips.length > 1) stuck = setTimeout(() => { if (shade.hidden) show(at + 1); }, STUCK);
  }

  function draw() {
    const clip = clips[at], video = videos[shown];
    set(place, { text: clip && clips.length > 1 ? `${at + 1} of ${clips.length}` : "" });
    set(words, { text: clip && worded === 0 ? clip.prompt : "" });
    facts.replaceChildren(...(clip && worded < 2 ? [clip.who, clip.when].filter(Boolean).flatMap((each, at) => [at ? " · " : "", make("bdi", "", each)]) : []));
    caption.hidden = !clip || worded === 2;
    for (const each of [back, on, auto]) each.hidden = clips.length < 2;
    relabel(playing, video.paused ? "Play" : "Pause", "Space", video.paused ? "play" : "pause");
    relabel(sound, isLoud ? "Sound off" : "Sound on", "M", isLoud ? "volume_up" : "volume_off");
    sound.hidden = !clips.some((each) => each.sound);
    relabel(captions, CAPTIONS[worded], "C");
    relabel(full, isFull ? "Leave full screen" : "Full screen", "F", isFull ? "fullscreen_exit" : "fullscreen");
    set(auto, { "aria-pressed": String(isAuto) });
    set(loop, { "aria-pressed": String(isLoop) });
    set(keys, { "aria-expanded": String(!help.hidden) });
    videos.forEach((each) => { each.loop = isLoop && (!isAuto || clips.length < 2); });
  }

  function say(text) { set(says, { text }); says.hidden = !text; }

  function shadeWith(colour) {
    const isOn = Boolean(colour) && (shade.hidden || shade.dataset.colour !== colour);
    shade.hidden = !isOn;
    shade.dataset.colour = colour;
    if (isOn) videos[shown].pause(); else if (clips.length) play(videos[shown]);
  }

  function screenful() {
    if (document.fullscreenElement) { isFull = false; document.exitFullscreen(); return; }
    whole.requestFullscreen?.().then(() => {
      if (!root.open) { document.exitFullscreen().catch(() => {}); return; } // it was ended before
      isFull = true;
      if (PHONE.matches) screen.orientation?.lock?.("landscape").catch(() => {});
      draw();
    }, () => {});
  }

  async function keepAwake() { try { lock = await navigator.wakeLock?.request("screen"); } catch { lock = null; } }

  function stop() { if (root.open) root.close(); }

  function popped(event) { // Back ends it: what lies below goes to where the address leads
    const isOwn = isLeaving || (root.open && !wasLightbox); // an entry with the same address: nothing else has to know
    isLeaving = false;
    if (isOwn) event.stopImmediatePropagation();
    if (!root.open) return;
    if (wasLightbox) lightbox.end();
    wasLightbox = false;
    unhush = () => {};
    stop();
  }

  function closed() {
    clearTimeout(idle);
    clearTimeout(stuck);
    isFull = isLoud = false; // the next one begins without sound
    if (history.state?.studioPresent) { isLeaving = true; history.back(); }
    const left = document.fullscreenElement ? document.exitFullscreen().catch(() => {}) : null; // nothing else can have the focus before
    for (const video of videos) { video.pause(); video.removeAttribute("src"); video.load(); delete video.dataset.of; delete video.dataset.on; }
    lock?.release();
    lock = null;
    if (wasLightbox) lightbox.resume(clips[at]?.id); else unhush();
    Promise.resolve(left).then(() => { if (wasLightbox) lightbox.focus(); else giveBack(opener); });
  }

  function wake() { // what lies over the clip goes once nobody moves
    clearTimeout(idle);
    delete root.dataset.idle;
    idle = setTimeout(() => { if (help.hidden && !bar.querySelector(":focus-visible")) root.dataset.idle = ""; }, IDLE);
  }

  function keyed(event) {
    if (!root.open || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key, isPress = event.target instanceof HTMLButtonElement;
    if (key === "Tab" || (isPress && (key === "Enter" || key === " "))) { wake(); return; }
    const acts = {
      ArrowRight: () => step(1), PageDown: () => step(1), ArrowLeft: () => step(-1), PageUp: () => step(-1), Home: () => jump(0), End: () => jump(clips.length - 1),
      " ": () => (shade.hidden ? toggle() : shadeWith("")), a: () => auto.click(), l: () => loop.click(), c: () => captions.click(), m: () => sound.click(), f: screenful,
      b: () => shadeWith("black"), ".": () => shadeWith("black"), w: () => shadeWith("white"), ",": () => shadeWith("white"), "?": () => keys.click(), Escape: stop,
    };
    const press = acts[key];
    event.stopImmediatePropagation();
    if (!press) return;
    event.preventDefault();
    if (clips.length || ["Escape", "f", "?"].includes(key)) press();
    draw();
  }

  addEventListener("keydown", keyed, true); // also after the page, drawn anew, has taken the focus
  root.addEventListener("close", closed);
  root.addEventListener("pointermove", ({ pointerType }) => { if (pointerType === "mouse") wake(); });
  whole.addEventListener("click", ({ target }) => {
    if (target === shade) shadeWith("");
    else if (videos.includes(target)) { if (root.dataset.idle === undefined || matchMedia("(hover: hover)").matches) toggle(); }
    draw();
    wake();
  });
  whole.addEventListener("touchstart", (event) => { from = finger(event); }, { passive: true });
  whole.addEventListener("touchend", ({ changedTouches: [touch] }) => {
    const x = from ? touch.clientX - from.clientX : 0, y = from ? touch.clientY - from.clientY : 0;
    from = null;
    if (Math.abs(x) > 50 && Math.abs(x) > 2 * Math.abs(y)) { step(x < 0 ? 1 : -1); draw(); }
  }, { passive: true });
  document.addEventListener("fullscreenchange", () => { // Esc leaves the full screen first, and with it the presentation
    const was = isFull;
    isFull = document.fullscreenElement === whole;
    if (root.open && was && !isFull) stop(); else draw();
  });
  document.addEventListener("visibilitychange", () => { if (root.open && !document.hidden && clips.length) keepAwake(); });
  for (const video of videos) {
    for (const name of ["play", "pause"]) video.addEventListener(name, draw);
    video.addEventListener("ended", ended);
    video.addEventListener("error", failed);
  }
  addEventListener("popstate", popped, true);
  document.addEventListener("studio:present", ({ detail }) => start(detail ?? {}));
}
