// One job on the stage: its clip with what plays it, or how far it is.
const heard = new Set(); // ids of clips that were heard once in this tab

function newTile(stage) {
  const root = make("div", "stage-tile"), ground = make("div", "stage-ground");
  const time = make("div", "stage-time"), say = make("div", "stage-say"), bar = make("div", "stage-bar");
  bar.append(make("i"));
  const tell = set(make("button", "stage-tell"), { type: "button", "data-notify": "", hidden: "" }), own = make("span", "stage-own");
  tell.append(icon("bell"), "Tell me when it is done");
  tell.addEventListener("click", () => { window.__studioLive?.notify?.ask(); tell.hidden = true; });
  ground.append(time, say, bar, tell);
  root.append(own, ground);
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
    const video = tile.video = stage.video(tile.job.id);
    const shown = () => root.classList.add("stage-here"), arrived = () => { shown(); controls.hidden = false; };
    set(video, { "aria-label": words, "aria-hidden": null });
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
    if (plays && video.readyState < 2) {
      controls.hidden = true; // its poster stands there until it can be played
      Object.assign(new Image(), { onload: shown, src: video.poster });
      video.preload = "auto";
      ["loadeddata", "error"].forEach((name) => video.addEventListener(name, arrived, { once: true }));
      setTimeout(arrived, 1000);
    } else shown();
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
