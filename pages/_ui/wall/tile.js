// One clip: a button with its poster, and at rest nothing but a star. What hover shows is one element for all of them.
function newTile(wall, id) {
  const root = set(make("div", `wall-tile st-key-clip-${id.replace(/[^a-zA-Z0-9_-]/g, "-")}`), { role: "listitem", "data-clip": id });
  const open = set(make("button", "wall-open"), { type: "button", tabindex: -1 });
  const tile = { id, root, open, told: null, drawn: "", box: [], row: 0, update, show, choose, label, place };
  let star = null, check = null, note = null, isNear = false; // most tiles have none of these
  root.append(open);

  function update(told) {
    const now = JSON.stringify(told);
    tile.told = told;
    if (now === tile.drawn) return;
    tile.drawn = now;
    set(root, { "data-star": told.star ? "mine" : told.stars ? "others" : null, "data-hidden": told.hidden, "data-risk": told.risk ? "" : null });
    if ((told.star || told.stars) && !star) star = mark(make("i", "wall-star"), shape(STAR));
    if (told.note && !note) note = mark(icon("error"));
    note?.classList.add("wall-note");
    if (note) set(note, { title: told.note, "data-broken": told.broken, hidden: told.note ? null : "" });
    picture(told);
    label();
  }

  function mark(element, ...look) { // above what hover shows
    element.append(...look);
    root.append(element);
    return element;
  }

  function choose(on) { // it is selected, or not any more
    if (on === root.hasAttribute("data-chosen")) return;
    if (on && !check) check = mark(make("i", "wall-check"), shape(TICK));
    set(root, { "data-chosen": on ? "" : null });
    label();
  }

  function show() { // it is near the window: the picture is wanted
    isNear = true;
    if (tile.told) picture(tile.told);
  }

  function picture(told) {
    if (told.poster) {
      const image = open.querySelector("img") ?? framed();
      if (isNear && !image.hasAttribute("src")) image.src = told.poster;
    } else {
      set(open, { "data-plain": "" });
      open.replaceChildren(icon(told.risk ? "schedule" : "hide_image"), make("span", "wall-plain", told.prompt ?? ""), make("span", "", told.risk ?? "No clip here"));
    }
  }

  function framed() { // without a picture until it is near
    const image = Object.assign(make("img"), { alt: "", decoding: "async", draggable: false });
    image.addEventListener("error", () => { set(open, { "data-plain": "" }); image.remove(); }, { once: true });
    set(open, { "data-plain": null });
    open.replaceChildren(image);
    return image;
  }

  function label() {
    const { told } = tile;
    const words = [told.prompt, told.risk, told.note, told.star ? "starred" : told.stars ? "starred by others" : "", wall.chosen.has(id) ? "selected" : "", told.who];
    set(open, { "aria-label": words.filter(Boolean).join(", ") });
  }

  function place(left, top, wide, high, row) {
    const box = [left, top, wide, high].map((value) => Math.round(value * 100) / 100);
    tile.row = row;
    if (box.every((value, at) => value === tile.box[at])) return;
    tile.box = box;
    root.style.cssText = `left:${box[0]}px;top:${box[1]}px;width:${box[2]}px;height:${box[3]}px`;
  }

  return tile;
}

// A day: its heading, and the box in which its pictures have their places.
function newDay(key) {
  const root = make("section", "wall-day"), line = make("div", "wall-heading"), title = make("h2"), count = make("span");
  const box = set(make("div", "wall-box"), { role: "list" });
  line.append(title, count);
  root.append(line, box);
  return { key, root, title, count, box, line, rows: [], width: 0, aim: 0, ids: [] };
}
