// What is selected, and the bar at the bottom that does something with it.
function newChoice(wall) {
  const { chosen } = wall;
  const bar = set(make("div", "wall-bar-below"), { role: "toolbar", "aria-label": "Selected clips", hidden: "" });
  const count = set(make("b"), { role: "status" });
  const comparing = pressable("Compare", "compare", () => compare(), "wall-primary");
  const starring = pressable("Star", "star", () => wall.star(ids()));
  const collecting = pressable("Collect", "library_add", () => wall.send("collect", ids()));
  const sharing = pressable("Share", "ios_share", () => wall.send("share", ids()));
  const loading = make("a", "wall-load");
  loading.append(icon("download"), make("span", "", "Download"));
  set(loading, { download: "" });
  const tagging = pressable("Tags", "label", () => wall.send("tag", ids()));
  const hiding = pressable("Hide", "visibility_off", () => wall.hide(ids()));
  const none = set(pressable("", "close", () => { clear(); wall.focus(); }), { "aria-label": "Select nothing", title: "Select nothing (Esc)" });
  const said = set(make("div", "wall-said"), { role: "status", hidden: "" });
  const extra = new Map();
  let from = "", timer = null;

  const ids = () => wall.order.filter((id) => chosen.has(id));
  const tiles = () => ids().map((id) => wall.tiles.get(id));

  function say(words) {
    set(said, { text: words });
    said.hidden = false;
    clearTimeout(timer);
    timer = setTimeout(() => { said.hidden = true; }, 4000);
  }

  function compare(tile) {
    if (tile && chosen.size < 2 && !chosen.has(tile.id)) toggle(tile);
    const why = whyNot();
    if (why) say(why); else wall.leave(`${BASE}/compare?ids=${named(ids())}`);
  }

  function whyNot() {
    if (chosen.size > MOST_COMPARED) return `At most ${MOST_COMPARED} clips can be compared.`;
    return chosen.size < 2 ? "Select one more clip to compare." : "";
  }

  function toggle(tile, isRange = false) {
    const on = !chosen.has(tile.id), a = wall.order.indexOf(from), b = wall.order.indexOf(tile.id);
    const picked = isRange && a >= 0 ? wall.order.slice(Math.min(a, b), Math.max(a, b) + 1) : [tile.id];
    for (const id of picked) if (on || isRange) chosen.add(id); else chosen.delete(id);
    from = tile.id;
    wall.current(tile);
    show();
  }

  function extend(tile, next) { // with Shift and an arrow: from where the selection began to the next one
    if (!chosen.size || !wall.tiles.has(from)) { from = tile.id; }
    const a = wall.order.indexOf(from), b = wall.order.indexOf(next.id);
    chosen.clear();
    wall.order.slice(Math.min(a, b), Math.max(a, b) + 1).forEach((id) => chosen.add(id));
    show();
  }

  function clear() { chosen.clear(); from = ""; show(); }

  function show() {
    for (const id of [...chosen]) if (!wall.tiles.has(id)) chosen.delete(id);
    for (const tile of wall.tiles.values()) tile.choose(chosen.has(tile.id));
    wall.over.refresh();
    set(wall.root, { "data-choosing": chosen.size ? "" : null });
    bar.hidden = !chosen.size;
    if (!chosen.size) return;
    const some = tiles(), have = (letter) => some.every(({ told }) => (told.may ?? "").includes(letter)), why = whyNot();
    const others = "Some of these are somebody else’s: an admin can.";
    set(count, { text: `${some.length} selected` });
    set(comparing, { "aria-disabled": why ? "true" : null, title: why || "Compare (C)" });
    set(starring.lastChild, { text: some.every(({ told }) => told.star) ? "Take the star back" : "Star" });
    starring.hidden = !wall.can("star");
    collecting.hidden = !wall.can("collect");
    sharing.hidden = !wall.can("share");
    tagging.hidden = !wall.can("tag");
    hiding.hidden = !wall.can("hide");
    set(sharing, { disabled: have("s") ? null : "", title: have("s") ? null : others });
    for (const each of [tagging, hiding]) set(each, { disabled: have("c") ? null : "", title: have("c") ? null : others });
    const allHidden = some.every(({ told }) => told.hidden);
    set(hiding.lastChild, { text: allHidden ? "Show again" : "Hide" });
    set(loading, { href: `${BASE}/take-away?ids=${named(ids())}`, hidden: some.some(({ told }) => told.src) ? null : "" });
  }

  function offer(others) { // what only the page of this wall can do: [[name, words, icon]…]
    for (const [name, words, look] of others ?? []) {
      if (extra.has(name)) continue;
      extra.set(name, { words, look, button: pressable(words, look, () => wall.send(name, ids())) });
      hiding.before(extra.get(name).button);
    }
  }

  const acts = make("div", "wall-acts");
  acts.append(comparing, collecting, sharing, loading, starring, tagging, hiding);
  bar.append(count, acts, none);
  wall.root.append(bar, said);
  return { ids, toggle, extend, clear, show, compare, say, offer, extra };
}
