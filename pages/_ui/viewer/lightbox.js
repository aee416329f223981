// The lightbox: a clip over the page, the clips beside it in its list, and what is known of it.
const SETTLE = 150; // milliseconds for which one stays on a clip before it is fetched
const ASK = 80; // milliseconds before the server is asked, while somebody hurries through a list
const AGAIN = 2000, UNDO = 10_000; // milliseconds
const LAYERS = "dialog[open]:not(.viewer), [role=dialog], [data-testid=stPopoverBody]"; // what may lie over it
const BEHIND = "[data-testid=stMain], .studio-skip"; // what lies behind it

function newLightbox() {
  const root = set(make("dialog", "viewer"), { tabindex: -1, "aria-modal": "true" });
  const room = make("div", "viewer-room"), top = make("div", "viewer-top"), place = set(make("span", "viewer-place"), { role: "status" });
  const strip = newStrip((next) => { if (next !== id) move(next); });
  const player = newPlayer(() => room), say = player.mention;
  const before = button("The one before", "chevron_left", () => step(-1), { key: "←", name: "viewer-icon viewer-before" });
  const after = button("The next one", "chevron_right", () => step(1), { key: "→", name: "viewer-icon viewer-after" });
  const box = { acts: { star, hide, compare, present }, ask, film, addSound: (of) => send("sound", [of]), share: (ids) => send("share", ids), rate, say, leave, marked: () => marked };
  const panel = newPanel(box);
  let id = "", among = "", base = "", clip = null, near = [], at = { place: 0, total: 0, words: "" };
  let opener = null, first = "", unhush = () => {}, asking = 0, timer = 0, watch = 0, version = -1, lastAsk = 0, marked = "", pausedFor = "", deleting = "";

  top.append(button("Close", "close", close, { key: "Esc" }), place, make("span", "viewer-gap"), button("Keys", "keyboard", keys, { key: "?" }), button("Full screen", "fullscreen", player.full, { key: "F" }));
  room.append(top, before, player.root, after, strip.root);
  root.append(room, panel.root);
  const isOpen = () => root.open;

  // -- the address

  function fromAddress() {
    const now = split();
    if (now.id && !isOpen()) open({ id: now.id, among: listOf() }, false);
  }

  function popped(event) {
    const now = split();
    if (!isOpen()) { if (now.id) setTimeout(fromAddress); return; }
    if (now.rest !== base) { shut(); if (now.id) setTimeout(fromAddress); return; } // Streamlit goes to another page
    event.stopImmediatePropagation(); // the page is the same, and Streamlit would run it
    if (!now.id) shut(); else if (now.id !== id) show(now.id);
  }

  // -- opening and closing

  function open({ id: wanted, among: list = listOf(), time = 0 }, push = true) {
    if (!wanted || isOpen()) { if (wanted && wanted !== id) move(wanted); return; }
    opener = document.activeElement;
    first = wanted;
    among = list;
    near = [];
    at = { place: 0, total: 0, words: "" };
    if (push) write(wanted, true);
    base = split().rest;
    if (!root.isConnected) document.body.append(root);
    unhush = hush(root);
    behind(true);
    panel.draw(false);
    root.show();
    root.focus();
    watch = setInterval(look, 500);
    show(wanted, { time });
  }

  function behind(on) { document.querySelectorAll(BEHIND).forEach((each) => { each.inert = on; }); }

  function shut() {
    if (!isOpen()) return;
    clearTimeout(timer);
    clearInterval(watch);
    asking += 1;
    if (document.fullscreenElement && root.contains(document.fullscreenElement)) document.exitFullscreen();
    panel.menu.hidePopover?.();
    player.stop();
    root.close();
    behind(false);
    marked = "";
    const shown = id;
    id = "";
    unhush();
    document.dispatchEvent(new CustomEvent("studio:clip-closed", { detail: { id: shown } })); // a wall may bring it into sight
    const { activeElement: now } = document;
    if (now && now !== document.body && !root.contains(now)) return; // it has put the focus there
    const named = (place) => `:is(${place})[data-clip="${shown}"], [data-clip="${shown}"] :is(${place}), [data-job="${shown}"] .lib-link`;
    const isKnown = shown === first && opener?.isConnected && opener !== document.body; // it was opened by a press on it
    const tile = ID.test(shown) && !isKnown ? document.querySelector(named("button, a")) : null;
    giveBack(tile, opener); // the clip that was shown last, where the page has it
  }

  function close() {
    if (!isOpen()) return;
    if (history.state?.studioClip) { history.back(); return; } // `popped` shuts it
    write("", false);
    shut();
  }

  function leave(address) { go(address); shut(); }

  // -- one clip

  function move(next) {
    write(next, false);
    show(next, { wait: SETTLE });
  }

  const placeOf = (wanted) => near.findIndex((each) => each.id === wanted);
  const beside = (by) => (placeOf(id) < 0 ? null : near[placeOf(id) + by] ?? null);
  function step(by) { if (beside(by)) move(beside(by).id); }

  function goOn() { // the clip that is shown is not wanted any more
    const next = beside(1) ?? beside(-1);
    if (next) move(next.id); else close();
  }

  function show(next, { wait = 0, time = 0 } = {}) {
    const here = placeOf(id), there = placeOf(next), known = near[there];
    if (known && here >= 0 && at.place) at = { ...at, place: at.place + there - here };
    id = next;
    clip = known ?? { id, poster: ID.test(id) ? `${BASE}/clips/${encodeURIComponent(id)}.jpg` : "", prompt: "" };
    player.show(clip, { wait, at: time });
    draw();
    fetchBeside();
    clearTimeout(timer);
    timer = setTimeout(askServer, wait ? ASK : 0);
  }

  async function askServer() {
    const mine = asking += 1, wanted = id, isNew = !clip.src;
    lastAsk = Date.now();
    version = window.__studioLive?.version ?? -1;
    const said = await told(asked({ clip: wanted }, among));
    if (mine !== asking || wanted !== id || !isOpen()) return;
    if (said.why) { refuse(said, isNew); return; }
    near = said.near;
    at = { place: said.place, total: said.total, words: said.words };
    clip = said.clip;
    for (const act of sender.of(id)) apply(act); // what was pressed meanwhile
    if (isNew) player.show(clip);
    draw();
    fetchBeside();
  }

  function fetchBeside() { for (const each of [beside(-1), beside(1)]) if (each?.poster) new Image().src = each.poster; }

  function refuse({ why, page, away, gone }, isNew) {
    if (away && !isNew) { say(why); return; }
    if (gone && deleting === id) { goOn(); return; } // it was deleted from here: the next one is looked at
    const link = page && Object.assign(make("a", "viewer-text", "All about it"), { href: page, onclick: (event) => { event.preventDefault(); leave(page); } });
    player.stop();
    player.say(why, link);
    clip = { id, ratio: clip.ratio };
    draw();
    alone(true);
  }

  function alone(on) { // without a clip there is nothing to say of it
    panel.root.hidden = on;
    set(root, { "data-alone": on ? "" : null });
  }

  function draw() {
    const { place: number, total, words } = at;
    set(place, { text: [number ? `${number.toLocaleString("en")} of ${total.toLocaleString("en")}` : "", words].filter(Boolean).join(", ") });
    set(root, { "aria-label": `Clip: ${(clip.prompt || "").slice(0, 100)}` });
    before.disabled = !beside(-1);
    after.disabled = !beside(1);
    alone(false);
    panel.show(clip);
    strip.show(near, id, marked);
  }

  // -- what is pressed: seen at once, and done by the server

  function send(...press) { sender.send("viewer", ...press); }

  function apply({ what, value }) {
    if (what === "star" || what === "unstar") clip.star = what === "star";
    if (what === "rate") clip.rating = value;
    if (what === "hide" || what === "show") clip.hidden = what === "hide";
  }

  function act(what, value = null) {
    apply({ what, value });
    send(what, [id], value);
    panel.show(clip);
  }

  const may = (what) => Boolean(clip?.may?.includes(what));
  function star() { if (may("star")) act(clip.star ? "unstar" : "star"); }
  function rate(number) { if (may("star")) act("rate", clip.rating === number ? 0 : number); }
  function ask(what) {
    if (!may(what)) return;
    if (what === "delete") deleting = id;
    send(what, [id]);
  }
  function film({ film: whole, ratio, poster }) { // in the place of the clip, until another one is shown
    player.show({ src: whole.src, seconds: whole.seconds, ratio, poster, sound: true, prompt: `The film of ${whole.parts} clips` });
    if (CALM.matches) player.toggle(); // else it plays by itself
    say(`The film of ${whole.parts} clips, ${Math.round(whole.seconds)} s`);
  }
  function hide() {
    if (!may("hide")) return;
    if (clip.hidden) { act("show"); return; }
    const gone = id;
    if (!beside(1) && !beside(-1)) { send("hide", [gone]); close(); return; } // the page below offers to undo it
    act("hide", "here");
    const undo = Object.assign(make("button", "viewer-text", "Undo"), { type: "button", onclick: () => {
      send("show", [gone]);
      say("It is shown again.");
      if (isOpen() && id !== gone) move(gone);
    } });
    say("1 clip is hidden.", undo, UNDO);
    goOn();
  }

  function compare() {
    if (!clip?.src) return;
    if (marked && marked !== id) { leave(`${BASE}/compare?ids=${[marked, id].map(encodeURIComponent).join(",")}`); return; }
    marked = marked === id ? "" : id;
    say(marked ? "Chosen. Go to another clip and press Compare (C) there." : "Not chosen any more.", null, 2 * SAID);
    draw();
  }

  function present() { document.dispatchEvent(new CustomEvent("studio:present", { detail: { among, at: id } })); }
  function keys() {
    const list = document.querySelector("dialog.studio-keys");
    list?.showModal();
    list?.querySelector("[data-where=clip]")?.scrollIntoView();
  }

  // Others rate, tag and order meanwhile: what is shown follows, at most every two seconds.
  function look() {
    const now = window.__studioLive?.version ?? -1;
    if (document.activeElement === document.body && !document.querySelector(LAYERS)) root.focus(); // a dialog over it has ended
    if (now !== version && Date.now() - lastAsk > AGAIN && !document.hidden && clip?.src) askServer();
  }

  function keyed(event) {
    if (!isOpen() || event.ctrlKey || event.metaKey || event.altKey || document.querySelector(LAYERS)) return;
    const { target } = event, key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const isPress = target instanceof Element && Boolean(target.closest("button, a, summary")), isSeek = target === player.seek;
    if (panel.menu.matches(":popover-open") && key !== "Escape") return;
    if ((isSeek && key.startsWith("Arrow")) || (isPress && [" ", "Enter"].includes(key)) || key === "Tab") return;
    const number = key >= "1" && key <= "5" ? Number(key) : 0;
    const acts = {
      ArrowLeft: () => step(-1), ArrowRight: () => step(1), " ": player.toggle, f: player.full, m: player.mute, s: star, h: hide, c: compare,
      r: () => { if (!panel.remix.hidden) leave(panel.remix.href); }, p: present, "?": keys,
      Escape: () => { if (panel.menu.matches(":popover-open")) panel.menu.hidePopover(); else if (document.fullscreenElement) document.exitFullscreen(); else close(); },
    };
    const press = number ? () => rate(number) : acts[key];
    if (!press) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // the page below has keys of its own
    if (!event.repeat || key.startsWith("Arrow")) press();
  }

  newFingers(room, [strip.root, player.seek], panel, step, close);

  // While clips are presented the lightbox is away; it comes back with the one that was shown last.
  function suspend() {
    if (!isOpen()) return false;
    pausedFor = id;
    player.stop();
    root.close();
    return true;
  }
  function resume(last) {
    const back = last || pausedFor;
    root.show();
    root.focus();
    if (back !== id) write(back, false);
    show(back);
  }

  document.addEventListener("studio:lost", () => { if (isOpen()) askServer(); });
  document.addEventListener("studio:clip", ({ detail }) => open(detail ?? {}));
  addEventListener("keydown", keyed, true);
  addEventListener("popstate", popped, true);
  return { fromAddress, suspend, resume, end: () => { root.show(); shut(); }, focus: () => root.focus(), changed: () => { if (isOpen() && clip?.src) askServer(); } };
}

export default function () {
  if (!window.__studioLightbox) { // one for the tab: a part of a page may be drawn anew at any time
    const lightbox = window.__studioLightbox = newLightbox();
    newPresent(lightbox);
    setTimeout(lightbox.fromAddress);
  }
  window.__studioLightbox.changed();
}
