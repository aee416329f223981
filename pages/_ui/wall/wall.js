// The wall itself: what it is told, how it is laid out, what comes when one scrolls, and what it says to the server.
const MOST_IN_SIGHT = 100; // clips

function newWall(parent) {
  const root = set(make("div", "wall"), { role: "region", "aria-label": "Clips" }), body = make("div", "wall-days");
  const around = parent.closest(".st-key-wall") ?? document.body;
  const scroller = document.querySelector('[data-testid="stMain"]') ?? document.scrollingElement;
  const days = new Map(), names = new Map();
  let current = null, last = "", version = "", isRunning = false, unseen = true;
  const wall = { root, scroller, facts: null, tiles: new Map(), order: [], chosen: new Set(), send, star, hide, open, focus, leave, merge, reorder: (order) => show(order),
    inSight: () => inSight(new Set(wall.order)),
    can: (what) => Boolean(wall.facts?.can.includes(what)), current: (tile) => { current = tile; rove(); } };
  wall.pending = newPending(wall);
  wall.over = newOver(wall);
  wall.choice = newChoice(wall);
  wall.toggle = wall.choice.toggle;
  wall.menu = newMenu(wall);
  wall.moving = newMoving(wall);
  wall.move = wall.moving.move;
  const keyed = newKeys(wall);
  const more = newMore(wall), pictures = newNear(scroller, (element) => {
    pictures.forget(element);
    wall.tiles.get(element.dataset.clip)?.show();
  });
  root.prepend(body, more.end);
  parent.append(root);

  // -- from the server

  function read() {
    const element = around.querySelector("[data-wall]"), seen = around.querySelector("[data-wall-version]")?.dataset.wallVersion ?? "";
    if (!element) return;
    const now = `${element.dataset.did} ${element.dataset.wall}`;
    if (now !== last) {
      last = now;
      sender.read(); // first: what was done is told here
      const facts = JSON.parse(element.dataset.wall), isOther = wall.facts && wall.facts.of !== facts.of;
      wall.facts = facts;
      wall.choice.offer(facts.extra);
      if (isOther) startAnew();
      if (wall.order.length <= facts.tiles.length) more.begin(facts.more > 0);
      merge(facts, true);
      if (isOther) scroller.scrollTop = 0;
      if (unseen) comeBack();
      unseen = false;
    }
    if (version && seen !== version) more.soon(); // something has changed, perhaps further down too
    version = seen;
    showSize();
  }

  function startAnew() {
    more.begin(false);
    wall.over.show(null);
    wall.order.forEach(forget);
    wall.order = [];
    wall.choice.clear();
  }

  function forget(id) {
    const tile = wall.tiles.get(id);
    if (!tile) return;
    if (wall.over.on === tile) wall.over.show(null);
    if (current === tile) current = null;
    tile.root.remove();
    pictures.forget(tile.root);
    wall.tiles.delete(id);
    wall.chosen.delete(id);
  }

  // Put a part of the list where it belongs: what stood between its first and its last clip and is not in it is gone.
  function merge(part, isFirst) {
    const tiles = wall.pending.tiles(part.tiles), ids = tiles.map(({ id }) => id), fresh = new Set(ids), places = [];
    wall.order.forEach((id, at) => { if (fresh.has(id)) places.push(at); });
    const head = isFirst ? [] : wall.order.slice(0, places[0]), tail = places.length && part.more ? wall.order.slice(places.at(-1) + 1) : [];
    for (const { key, name, count } of part.days) names.set(key, { name, count });
    for (const told of tiles) {
      const tile = wall.tiles.get(told.id) ?? newTile(wall, told.id);
      tile.update(told);
      if (wall.tiles.has(told.id)) continue;
      wall.tiles.set(told.id, tile);
      pictures.watch(tile.root);
    }
    show(wall.pending.order([...head, ...ids, ...tail]));
  }

  function show(order) {
    const left = new Set(order), held = document.activeElement?.closest?.(".wall-tile"), at = wall.order.indexOf(held?.dataset.clip);
    const anchor = inSight(left), before = anchor?.root.getBoundingClientRect().top;
    wall.order.filter((id) => !left.has(id)).forEach(forget);
    wall.order = order;
    layOut();
    if (!current) current = wall.tiles.get(order[Math.min(Math.max(at, 0), order.length - 1)]) ?? null;
    rove();
    if (held && !held.isConnected) focus(); // its clip is gone: the next one has the focus
    if (anchor) scroller.scrollTop += anchor.root.getBoundingClientRect().top - before;
    wall.choice.show();
    more.watch();
  }

  // The clip by which the scroll is kept: what plays, what has the focus, else the topmost in sight; none at the very top.
  function inSight(left) {
    const focused = wall.tiles.get(document.activeElement?.closest?.(".wall-tile")?.dataset.clip);
    const seen = (tile) => { const { top, bottom } = tile.root.getBoundingClientRect(); return bottom > 120 && top < innerHeight; };
    for (const tile of [wall.over.on, focused]) if (tile && left.has(tile.id) && seen(tile)) return tile;
    if (scroller.scrollTop < 8) return null;
    let from = 0, to = wall.order.length; // between them is the topmost that is not above the window
    while (from < to) {
      const middle = (from + to) >> 1, { bottom } = wall.tiles.get(wall.order[middle]).root.getBoundingClientRect();
      if (bottom > 120) to = middle; else from = middle + 1;
    }
    return wall.order.slice(from, from + MOST_IN_SIGHT).filter((id) => left.has(id)).map((id) => wall.tiles.get(id)).find(seen) ?? null;
  }

  // -- layout

  const size = () => (AIMS[kept(localStorage, SIZE)] ? kept(localStorage, SIZE) : "M");
  const aimOf = () => (PHONE.matches ? AIM_PHONE : TABLET.matches ? AIM_TABLET : AIMS[size()]);
  const ratioOf = (id) => Math.min(Math.max(wall.tiles.get(id).told.ratio || 16 / 9, 0.3), 4);

  function layOut() {
    const width = body.clientWidth, aim = aimOf(), parts = new Map();
    if (!width) return;
    for (const id of wall.order) {
      const key = wall.tiles.get(id).told.day ?? "";
      if (!parts.has(key)) parts.set(key, []);
      parts.get(key).push(id);
    }
    for (const key of days.keys()) if (!parts.has(key)) { days.get(key).root.remove(); days.delete(key); }
    for (const [key, ids] of parts) {
      if (!days.has(key)) days.set(key, newDay(key));
      layDay(days.get(key), ids, width, aim);
    }
    put(body, [...parts.keys()].map((key) => days.get(key).root));
  }

  function layDay(day, ids, width, aim) {
    const { name = "", count = "" } = names.get(day.key) ?? {}, now = ids.join();
    set(day.title, { text: name });
    set(day.count, { text: count });
    day.line.hidden = !name;
    set(day.box, { "aria-label": name || "Clips" });
    if (day.now === now && day.width === width && day.aim === aim) return;
    const held = new Set([wall.over.on?.id].filter(Boolean)), isSame = day.width === width && day.aim === aim;
    day.rows = regroup(ids, isSame ? day.rows : [], ratioOf, width, aim, held);
    Object.assign(day, { now, width, aim });
    const [places, high] = placed(day.rows, ratioOf, width, aim);
    day.box.style.height = `${Math.ceil(high)}px`;
    for (const [id, ...box] of places) wall.tiles.get(id).place(...box);
    put(day.box, ids.map((id) => wall.tiles.get(id).root));
  }

  function resized() {
    const anchor = wall.inSight(), before = anchor?.root.getBoundingClientRect().top;
    layOut();
    if (anchor) scroller.scrollTop += anchor.root.getBoundingClientRect().top - before;
    more.watch();
  }

  function showSize() {
    document.querySelectorAll(".wall-sizes [data-size]").forEach((each) => set(each, { "aria-pressed": each.dataset.size === size() }));
  }

  function pressed(event) { // what stands in the bar
    const { target } = event, link = target.closest?.("a[data-within]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.button) {
      event.preventDefault();
      go(link.href);
    }
    const chosen = target.closest?.(".wall-sizes [data-size]");
    if (chosen) { kept(localStorage, SIZE, chosen.dataset.size); showSize(); resized(); }
    if (!target.closest?.(".wall-controls [data-present]") || !wall.facts) return;
    const detail = { among: wall.facts.among };
    if (wall.chosen.size) detail.ids = wall.choice.ids();
    document.dispatchEvent(new CustomEvent("studio:present", { detail }));
  }

  // -- to the server, and to other parts of the studio

  function send(what, ids, more = {}) { sender.send("page", what, ids, { of: wall.facts.collection, ...more }); }

  function star(ids) {
    const some = ids.map((id) => wall.tiles.get(id)).filter(Boolean), on = some.some(({ told }) => !told.star);
    for (const tile of some) tile.update(starred(tile.told, on));
    wall.choice.show();
    send(on ? "star" : "unstar", ids);
  }

  function hide(ids) {
    const some = ids.map((id) => wall.tiles.get(id)).filter(Boolean);
    if (!some.every(({ told }) => (told.may ?? "").includes("c"))) { wall.choice.say("Some of these are somebody else’s: an admin can hide them."); return; }
    const isBack = some.every(({ told }) => told.hidden), gone = new Set(ids);
    wall.choice.clear();
    send(isBack ? "show" : "hide", ids);
    if (!isBack && !wall.facts.shows_hidden) show(wall.order.filter((id) => !gone.has(id)));
  }

  function open(tile) {
    wall.current(tile);
    wall.over.stop();
    if (!tile.told.src) { if (wall.facts.link) leave(fill(wall.facts.link, tile.id)); return; }
    document.dispatchEvent(new CustomEvent("studio:clip", { detail: { id: tile.id, among: wall.facts.among } }));
  }

  function leave(address) { // whoever comes back finds the wall as it was
    const { top = 0 } = current?.root.getBoundingClientRect() ?? {};
    kept(sessionStorage, PLACE, JSON.stringify([wall.facts.of, current?.id ?? "", top, [...wall.chosen]]));
    go(address);
  }

  async function comeBack() {
    const [of, id, top, chosen] = JSON.parse(kept(sessionStorage, PLACE) ?? "[]");
    kept(sessionStorage, PLACE, "[]");
    if (of !== wall.facts.of || !id) return;
    for (let tries = 0; !wall.tiles.has(id) && more.isThere && tries < 20; tries += 1) await more.next();
    const tile = wall.tiles.get(id);
    if (!tile) return;
    chosen.forEach((each) => { if (wall.tiles.has(each)) wall.chosen.add(each); });
    wall.choice.show();
    wall.current(tile);
    scroller.scrollTop += tile.root.getBoundingClientRect().top - top;
    tile.open.focus({ preventScroll: true });
  }

  // -- focus and pointer

  let stop = null; // the one picture that Tab finds
  function rove() {
    const to = current && wall.tiles.has(current.id) ? current : wall.tiles.get(wall.order[0]) ?? null;
    if (stop !== to) stop?.open.setAttribute("tabindex", -1);
    stop = to;
    stop?.open.setAttribute("tabindex", 0);
  }

  function focus(tile = current ?? wall.tiles.get(wall.order[0])) {
    if (!tile) return;
    wall.current(tile);
    tile.open.focus({ preventScroll: true });
    tile.root.scrollIntoView({ block: "nearest" });
  }

  const under = (target) => wall.tiles.get(target?.closest?.(".wall-tile")?.dataset.clip) ?? null;
  const focused = () => (document.activeElement?.matches?.(".wall-open:focus-visible") ? under(document.activeElement) : null);
  body.addEventListener("pointerover", ({ target, pointerType }) => { if (pointerType === "mouse") wall.over.show(under(target) ?? focused()); });
  body.addEventListener("pointerleave", () => wall.over.show(focused()));
  body.addEventListener("focusin", ({ target }) => {
    const tile = under(target);
    if (!tile) return;
    wall.current(tile);
    if (target !== tile.open || !target.matches(":focus-visible")) return;
    set(tile.root, { "data-focus": "" });
    wall.over.show(tile);
  });
  body.addEventListener("focusout", ({ target, relatedTarget }) => {
    under(target)?.root.removeAttribute("data-focus");
    if (wall.over.on === under(target) && !under(relatedTarget) && !body.querySelector(".wall-tile:hover")) wall.over.show(null);
  });

  const still = () => wall.over.stop();
  const lost = () => { last = ""; read(); more.soon(); };
  const watcher = new MutationObserver((changes) => { if (changes.some(({ target }) => !root.contains(target))) read(); });
  const sizes = new ResizeObserver(() => { if (days.size && body.clientWidth !== [...days.values()][0].width) resized(); });
  wall.start = () => {
    if (isRunning) return;
    isRunning = true;
    watcher.observe(around, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-wall", "data-did", "data-wall-version"] });
    sizes.observe(body);
    addEventListener("keydown", keyed, true);
    document.addEventListener("click", pressed);
    document.addEventListener("studio:clip", still);
    document.addEventListener("studio:present", still);
    document.addEventListener("studio:lost", lost);
    document.addEventListener("visibilitychange", still);
    scroller.style.overflowAnchor = "none"; // the scroll is kept here, also where a browser does not
    read();
    more.start();
  };
  wall.stop = () => {
    isRunning = false;
    more.stop();
    wall.over.show(null);
    watcher.disconnect();
    sizes.disconnect();
    removeEventListener("keydown", keyed, true);
    document.removeEventListener("click", pressed);
    document.removeEventListener("studio:clip", still);
    document.removeEventListener("studio:present", still);
    document.removeEventListener("studio:lost", lost);
    document.removeEventListener("visibilitychange", still);
    scroller.style.overflowAnchor = "";
  };
  return wall;
}

export default function ({ parentElement, setTriggerValue }) {
  const wall = parentElement.studioWall ??= newWall(parentElement);
  const leave = sender.mount("page", setTriggerValue);
  wall.start();
  return () => { leave(); wall.stop(); };
}
