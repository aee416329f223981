// One player for the whole wall. It goes to the picture under the pointer, or to the one with the focus, and plays there
// without sound. With it goes what is shown over a picture: the box, the star, more, the prompt.
const HOVER = 120; // milliseconds before it plays

function newOver(wall) {
  const over = make("div", "wall-over"), video = make("video");
  const act = (label, name, look, press) => {
    const button = set(make("button", name), { type: "button", "aria-label": label, title: label, tabindex: -1 });
    button.append(look);
    button.addEventListener("click", (event) => { event.stopPropagation(); if (on) press(event, button); });
    return button;
  };
  const box = act("Select", "wall-box-button", shape(TICK), (event) => wall.toggle(on, event.shiftKey));
  const star = act("Star", "wall-star-button", shape(STAR), () => wall.star([on.id]));
  const more = act("More", "wall-more-button", icon("more_horiz"), (_, button) => wall.menu(on, button));
  const words = set(make("span", "wall-words"), { dir: "auto" }), sound = icon("music_note"), time = make("span", "wall-time"), bar = make("i", "wall-bar");
  set(box, { role: "checkbox" });
  set(more, { "aria-haspopup": "menu" });
  const foot = make("div", "wall-foot");
  foot.append(words, sound, time);
  over.append(box, star, more, foot, bar);
  Object.assign(video, { muted: true, loop: true, playsInline: true, tabIndex: -1, disableRemotePlayback: true });
  set(video, { "aria-hidden": "true", muted: "" });
  let on = null, timer = null, from = 0;

  function show(tile) {
    if (on === tile) return;
    stop();
    on?.root.removeAttribute("data-over");
    on = tile;
    if (!tile) { over.remove(); return; }
    set(tile.root, { "data-over": "" });
    tile.root.append(over);
    refresh();
    timer = setTimeout(play, HOVER);
  }

  function refresh() { // after the tile, or what is selected, has changed
    if (!on) return;
    const { told } = on;
    set(box, { "aria-checked": String(wall.chosen.has(on.id)), "aria-label": `Select: ${(told.prompt ?? "").slice(0, 80)}` });
    set(star, { "aria-pressed": String(Boolean(told.star)), "aria-label": told.star ? "Take the star back" : "Star" });
    star.hidden = !wall.can("star");
    set(words, { text: told.prompt ?? "" });
    sound.hidden = !told.sound;
    set(time, { text: told.seconds ? clock(told.seconds) : "" });
  }

  function play() {
    if (!on?.told.src || STILL.matches || document.hidden || document.querySelector("dialog[open], [role=dialog]")) return;
    video.src = on.told.src;
    on.open.after(video);
    video.play().catch(() => {});
  }

  function stop() {
    clearTimeout(timer);
    if (!video.isConnected) return;
    video.pause();
    video.removeAttribute("src");
    video.load(); // the browser lets go of the file
    video.remove();
    video.removeAttribute("data-on");
    bar.style.transform = "scaleX(0)";
  }

  video.addEventListener("playing", () => set(video, { "data-on": "" }));
  video.addEventListener("timeupdate", () => {
    const part = video.duration ? video.currentTime / video.duration : 0;
    bar.style.transition = part < from ? "none" : "";
    from = part;
    bar.style.transform = `scaleX(${part})`;
  });
  return { show, refresh, stop, get on() { return on; }, get isPlaying() { return video.isConnected && !video.paused; } };
}
