// The player of the lightbox: one clip as large as fits, and its bar under it.
const REST = 2500, SAID = 2500; // milliseconds

function newPlayer(whole) {
  const root = make("div", "viewer-stage"), frame = make("div", "viewer-frame"), bar = make("div", "viewer-bar");
  const video = Object.assign(make("video"), { muted: true, loop: true, playsInline: true, preload: "auto" });
  const says = set(make("p", "viewer-says"), { role: "status", hidden: "" });
  const clock = make("span", "viewer-clock");
  const seek = set(make("input", "viewer-seek"), { type: "range", min: 0, max: 1000, value: 0, step: "any", "aria-label": "Position" });
  const playing = button("Play", "play", toggle), sound = button("Sound on", "volume_off", mute), loop = button("Play once", "repeat", again);
  let clip = null, timer = 0, frames = 0, start = 0, resting = 0, hiding = 0;
  set(video, { muted: "", tabindex: -1 });
  const note = set(make("div", "viewer-said"), { role: "status", hidden: "" });
  frame.append(video, says, note);
  bar.append(playing, clock, seek, sound, loop);
  root.append(frame, bar);

  // Show a clip: its poster at once, and the clip itself after `wait` milliseconds, from `at` seconds on.
  function show(next, { wait = 0, at = 0 } = {}) {
    clearTimeout(timer);
    clip = next;
    root.style.setProperty("--ratio", clip.ratio || 16 / 9);
    set(video, { poster: clip.poster || null, "aria-label": clip.prompt || "Clip" });
    video.removeAttribute("src");
    video.load(); // the last frame of the clip before it goes
    say("");
    sound.hidden = !clip.sound;
    start = at;
    if (clip.src) timer = setTimeout(begin, wait);
    tick();
  }

  function begin() {
    video.src = start ? `${clip.src}#t=${start.toFixed(2)}` : clip.src;
    if (!CALM.matches) play(video);
  }

  function stop() {
    clearTimeout(timer);
    cancelAnimationFrame(frames);
    video.pause();
    video.removeAttribute("src");
    video.load();
  }

  function toggle() {
    if (!clip?.src) return;
    if (!video.src) { clearTimeout(timer); begin(); }
    if (video.paused) play(video); else video.pause();
  }

  function mute() {
    if (!clip?.sound) return;
    video.muted = !video.muted;
    tick();
  }

  function again() {
    video.loop = !video.loop;
    tick();
  }

  function full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (whole().requestFullscreen) whole().requestFullscreen().catch(() => {}); // a dialog itself may not
    else video.webkitEnterFullscreen?.(); // iPhones know it for videos only
  }

  function say(words, link = null) {
    set(says, { text: words });
    if (link) says.append(" ", link);
    says.hidden = !words;
    bar.hidden = Boolean(words);
  }

  function mention(words, action = null, ms = SAID) { // something that goes by itself
    clearTimeout(hiding);
    note.replaceChildren(make("span", "", words), ...action ? [action] : []);
    note.hidden = false;
    hiding = setTimeout(() => { note.hidden = true; }, ms);
  }

  function tick() {
    const length = video.duration || clip?.seconds || 0, now = video.currentTime || 0;
    relabel(playing, video.paused ? "Play" : "Pause", "Space", video.paused ? "play" : "pause");
    relabel(sound, video.muted ? "Sound on" : "Sound off", "M", video.muted ? "volume_off" : "volume_up");
    relabel(loop, video.loop ? "Play once" : "Play again and again", "");
    set(loop, { "aria-pressed": String(video.loop) });
    const words = length ? `${minutes(now, true)} / ${minutes(length, true)}` : "";
    set(clock, { text: words });
    if (!seek.matches(":active")) seek.value = length ? 1000 * now / length : 0;
    seek.style.setProperty("--at", `${seek.value / 10}%`);
    set(seek, { "aria-valuetext": words.replace("/", "of") });
  }

  function frameByFrame() { // the bar moves as smoothly as the clip
    tick();
    if (!video.paused) frames = requestAnimationFrame(frameByFrame);
  }

  root.addEventListener("pointermove", () => { // on the whole screen the bar goes once nobody moves
    const { dataset } = whole();
    clearTimeout(resting);
    dataset.awake = "";
    resting = setTimeout(() => { delete dataset.awake; }, REST);
  });
  seek.addEventListener("input", () => {
    if (!video.src && clip?.src) begin();
    video.currentTime = seek.value / 1000 * (video.duration || 0);
    tick();
  });
  video.addEventListener("click", toggle);
  video.addEventListener("play", () => { cancelAnimationFrame(frames); frameByFrame(); });
  for (const name of ["pause", "volumechange", "seeked", "loadedmetadata"]) video.addEventListener(name, tick);
  video.addEventListener("error", () => { if (video.getAttribute("src")) say("This clip cannot be played here. Download it."); });
  return { root, video, seek, show, stop, toggle, mute, full, say, mention };
}
