// The list of History: rows that stay where they are while jobs change, their keys, and what is selected.
// Everything that comes from jobs is put in as text; an id becomes a part of an address encoded.
const PHONE = matchMedia("(max-width: 640px)");
const LONG_PRESS = 500, SWIPE = 128; // milliseconds; pixels
const COLUMNS = "studio-columns", PLACE = "studio-list-place"; // in the browser's storage

function parts(element, texts = []) { // every second one was found
  element.replaceChildren(...texts.map((text, at) => at % 2 ? make("mark", "", text) : document.createTextNode(text)));
}

// -- one row ----------------------------------------------------------------------------------------------------------

function newRow(list, id) {
  const root = set(make("li", "lib-row"), { "data-job": id });
  const thumb = make("span", "lib-thumb"), time = make("span", "lib-time"), link = set(make("a", "lib-link"), { dir: "auto" });
  const box = set(make("input", "lib-box"), { type: "checkbox" }), words = make("span", "lib-words");
  const line = set(make("span", "lib-line"), { dir: "auto" }), text = make("span"), ago = make("span", "lib-ago");
  const acts = make("span", "lib-acts"), mark = set(make("span", "lib-star"), { role: "img" }), extra = make("span", "lib-extra");
  const who = make("span", "lib-who"), circle = set(make("span", "studio-person"), { "aria-hidden": "true" }), name = set(make("bdi"), {});
  const when = make("time", "lib-when"), cost = make("span", "lib-cost"), state = set(make("span", "lib-state"), { role: "img" });
  const row = { id, root, link, told: null, drawn: "", update, tick };
  const act = (what, label, shape, press) => {
    const button = set(make("button"), { type: "button", "aria-label": label, title: label, "data-act": what });
    button.append(typeof shape === "string" ? icon(shape) : shape);
    button.addEventListener("click", press);
    acts.append(button);
    return button;
  };
  const starred = act("star", "Star", shape(STAR), () => list.star([id]));
  const remix = act("remix", "Remix", "edit_square", () => go(fill(list.facts.remix, id)));
  const load = set(make("a"), { "aria-label": "Download", title: "Download", "data-act": "download" });
  load.append(icon("download"));
  acts.append(load);
  const hide = act("hide", "Hide", "visibility_off", () => list.send(row.told.hidden ? "show" : "hide", [id]));
  const more = act("more", "More", "more_horiz", () => list.menu(row, more));
  set(more, { "aria-haspopup": "menu" });
  mark.append(shape(STAR));
  line.append(text, ago);
  words.append(link, line);
  who.append(circle, name);
  root.append(thumb, box, words, mark, acts, extra, who, when, cost, state);
  root.addEventListener("click", (event) => { if ((event.target.closest("a, button, input") ?? link) === link) list.pressed(event, row); });
  box.addEventListener("click", (event) => list.toggle(row, event.shiftKey));

  function update(told) {
    const now = JSON.stringify(told), full = told.words.join("");
    row.told = told;
    if (now === row.drawn) return;
    row.drawn = now;
    set(root, { "data-look": told.look, "data-hidden": told.hidden, "data-tone": told.tone });
    set(link, { href: fill(list.facts.link, id) });
    parts(link, told.words);
    parts(text, told.line);
    set(line, { "data-tone": told.tone });
    set(box, { "aria-label": `Select: ${full.slice(0, 80)}` });
    picture(told);
    set(starred, { "aria-pressed": told.star === 2 });
    set(mark, { "data-mine": told.star === 2, "aria-label": told.star ? (told.stars ? `Starred by ${told.star === 2 ? "you, " : ""}${told.stars}` : "Starred") : null, title: told.stars, "data-off": !told.star });
    const may = told.may ?? "";
    remix.hidden = !may.includes("r");
    load.hidden = !may.includes("d");
    if (!load.hidden) set(load, { href: `${BASE}/take-away?ids=${encodeURIComponent(id)}`, download: "" });
    hide.hidden = !may.includes("c");
    set(hide, { "aria-label": told.hidden ? "Show again" : "Hide", title: told.hidden ? "Show again" : "Hide" });
    set(circle, { text: told.letters ?? "", "data-colour": told.colour ?? 0 });
    circle.hidden = !told.who;
    set(name, { text: told.who ?? "" });
    set(who, { title: told.who });
    set(when, { title: told.full });
    set(cost, { text: told.cost ?? "", "data-soft": told.soft });
    set(state, { "aria-label": told.word, title: told.hidden ? `${told.word}, hidden` : told.word });
    const shown = told.look === "made" ? [make("i", "lib-arc")] : [icon(told.icon)];
    state.replaceChildren(...shown);
    extra.replaceChildren(...(told.more ?? []).map((value) => set(make("span", "", value), { title: value, dir: "auto" })));
    list.choose(row);
    tick();
  }

  function picture(told) {
    const ratio = (told.shape ?? [16, 9]).join(" / "), kind = told.clip ? "img" : told.look === "failed" ? "icon" : told.look === "made" ? "time" : "";
    if (thumb.dataset.kind === kind) return;
    thumb.dataset.kind = kind;
    thumb.replaceChildren();
    if (kind === "img") {
      const image = Object.assign(make("img"), { alt: "", loading: "lazy", decoding: "async", src: `${BASE}/clips/${encodeURIComponent(id)}.jpg` });
      image.style.aspectRatio = ratio;
      image.addEventListener("error", () => image.remove(), { once: true });
      thumb.append(image);
    } else if (kind === "icon") thumb.append(icon("broken_image"));
    else if (kind === "time") thumb.append(time);
  }

  function tick() {
    const { told } = row, now = Date.now() - list.skew;
    if (told.look === "made") set(time, { text: told.since ? clock(Math.max(0, now - told.since) / 1000) : "" });
    const minutes = told.at ? Math.floor(Math.max(0, now - told.at) / 60000) : 60;
    const words = minutes < 1 ? "just now" : minutes < 60 ? `${minutes} min ago` : told.when;
    if (when.textContent === words) return;
    set(when, { text: words });
    set(ago, { text: words });
    const label = [told.words.join("").slice(0, 200), told.word, told.star ? "starred" : "", told.who, words, told.cost];
    set(link, { "aria-label": label.filter(Boolean).join(", ") });
  }

  return row;
}

// -- the list ---------------------------------------------------------------------------------------------------------

function newList(parent) {
  const root = set(make("div", "lib"), { role: "region", "aria-label": "Jobs" }), head = make("div", "lib-head"), body = make("div");
  const menu = set(make("div", "lib-menu"), { popover: "auto", role: "menu" }), choice = set(make("div", "lib-menu"), { popover: "auto", "aria-label": "Columns" });
  const around = parent.closest(".st-key-history") ?? document.body;
  const scroller = document.querySelector('[data-testid="stMain"]') ?? document.scrollingElement;
  const rows = new Map(), days = new Map(), chosen = new Set();
  let order = [], current = "", from = "", last = "", sums = {}, timer = null, unseen = true;
  const list = { facts: null, skew: 0, chosen, send, star: starAll, toggle, pressed, menu: openMenu, choose: showChoice, clear, focus: focusRow, all };
  const bar = newBar(list);
  const button = (words, shape, press) => {
    const element = set(make("button"), { type: "button" });
    element.append(icon(shape), make("span", "", words));
    element.addEventListener("click", press);
    return element;
  };
  const columns = set(make("button", "lib-columns"), { type: "button", "aria-haspopup": "true" });
  columns.append(icon("view_column"), make("span", "", "Columns"));
  columns.addEventListener("click", () => { place(choice, columns); });
  root.append(head, body, bar.root, menu, choice);
  parent.append(root);

  // -- to and from the server

  function send(what, ids) {
    list.trigger("did", { what, ids, at: Date.now() });
  }

  function read() {
    const element = around.querySelector("[data-list]"), added = around.querySelector("[data-sums]");
    if (element && element.dataset.list !== last) {
      last = element.dataset.list;
      const facts = JSON.parse(last), isOther = list.facts && list.facts.of !== facts.of;
      list.skew = Date.now() - facts.now;
      list.facts = facts;
      if (isOther) { chosen.clear(); from = ""; }
      show(isOther);
    }
    if (added) sums = JSON.parse(added.dataset.sums);
    showSums();
  }

  // -- drawing

  function show(isOther) {
    const { facts } = list, told = facts.days.flatMap((day) => day.rows), ids = new Set(told.map(({ id }) => id));
    const held = document.activeElement?.closest?.(".lib-row"), at = order.findIndex((row) => row.root === held);
    const anchor = isOther ? null : inSight(ids, held), before = anchor?.root.getBoundingClientRect().top;
    set(root, { "data-money": facts.money });
    for (const id of rows.keys()) if (!ids.has(id)) { rows.delete(id); chosen.delete(id); }
    for (const each of told) {
      if (!rows.has(each.id)) rows.set(each.id, newRow(list, each.id));
      rows.get(each.id).update(each);
    }
    for (const key of days.keys()) if (!facts.days.some((day) => day.key === key)) days.delete(key);
    for (const { key } of facts.days) if (!days.has(key)) days.set(key, newDay(key));
    order = told.map(({ id }) => rows.get(id));
    put(body, facts.days.map(({ key }) => days.get(key).root));
    for (const { key, name, rows: own } of facts.days) days.get(key).update(name, own.map(({ id }) => rows.get(id).root));
    if (!rows.has(current)) current = order[Math.min(Math.max(at, 0), order.length - 1)]?.id ?? "";
    if (held && !held.isConnected) focusRow(); // its row is gone: the next one has the focus
    rove();
    showColumns();
    showAll();
    if (anchor?.root.isConnected) scroller.scrollTop += anchor.root.getBoundingClientRect().top - before;
    if (isOther) scroller.scrollTop = 0;
    if (unseen) comeBack();
    unseen = false;
  }

  function newDay(key) {
    const section = make("section", "lib-day"), line = make("div", "lib-heading"), title = make("h2"), sum = make("span", "lib-sum"), items = make("ul");
    line.append(title, sum);
    section.append(line, items);
    line.hidden = !key;
    set(items, { role: "list" });
    return { root: section, sum, update(name, children) { set(title, { text: name }); set(items, { "aria-label": name || "Jobs" }); put(items, children); } };
  }

  function showSums() { // those of another list are not for this one
    if (sums.of === list.facts?.of) for (const [key, day] of days) set(day.sum, { text: sums.days[key] ?? day.sum.textContent });
  }

  // The row by which the scroll is kept: the one with the focus, else the topmost in sight; none at the very top.
  function inSight(ids, held) {
    if (scroller.scrollTop < 8) return null;
    const seen = (row) => { const { top, bottom } = row.root.getBoundingClientRect(); return bottom > 130 && top < innerHeight; };
    const stays = order.filter((row) => ids.has(row.id) && seen(row));
    return stays.find((row) => row.root === held) ?? stays[0] ?? null;
  }

  // Whoever comes back from a job's page finds the list as it was left.
  function comeBack() {
    const [of, id, top] = JSON.parse(kept(sessionStorage, PLACE) ?? "[]");
    if (of !== list.facts.of || !rows.has(id)) return;
    kept(sessionStorage, PLACE, "[]");
    current = id;
    rove();
    scroller.scrollTop = top;
    rows.get(id).link.focus({ preventScroll: true });
  }

  // -- opening

  function pressed(event, row) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return; // the browser's own
    event.preventDefault();
    current = row.id;
    rove();
    if (touch.quiet) return; // it ends a swipe or a long press
    if (row.swiped) { shut(); return; }
    if (PHONE.matches && chosen.size) { toggle(row); return; }
    if (row.told.clip && event.target.closest(".lib-thumb")) { large(row); return; }
    kept(sessionStorage, PLACE, JSON.stringify([list.facts.of, row.id, scroller.scrollTop]));
    go(row.link.href);
  }

  function large(row) {
    focusRow(row); // where it comes back to
    document.dispatchEvent(new CustomEvent("studio:clip", { detail: { id: row.id } }));
  }

  function tick() {
    if (document.hidden) return;
    order.forEach((row) => row.tick());
  }

  // -- stars are seen at once

  function starAll(ids) {
    const some = ids.map((id) => rows.get(id)).filter(Boolean), on = some.some(({ told }) => told.star !== 2);
    some.forEach((row) => row.update({ ...row.told, star: on ? 2 : row.told.stars ? 1 : 0 }));
    send(on ? "star" : "unstar", ids);
  }

  // -- selection

  function toggle(row, isRange = false) {
    const on = !chosen.has(row.id), a = order.findIndex(({ id }) => id === from), b = order.indexOf(row);
    const picked = isRange && a >= 0 ? order.slice(Math.min(a, b), Math.max(a, b) + 1) : [row];
    for (const { id } of picked) if (on || isRange) chosen.add(id); else chosen.delete(id);
    from = row.id;
    current = row.id;
    rove();
    showAll();
  }

  function clear() { chosen.clear(); from = ""; showAll(); }

  function all() { order.forEach(({ id }) => chosen.add(id)); showAll(); }

  function showChoice(row) {
    const on = chosen.has(row.id), box = row.root.querySelector(".lib-box");
    set(row.root, { "data-chosen": on ? "" : null });
    if (box.checked !== on) box.checked = on;
  }

  function showAll() {
    order.forEach(showChoice);
    const some = order.filter(({ id }) => chosen.has(id));
    set(root, { "data-choosing": some.length ? "" : null });
    bar.show(some, some.length === order.length);
  }

  // -- the keyboard: one stop of Tab for the list, and its row's buttons after it

  function rove() {
    for (const row of order) {
      const stop = row.id === current ? 0 : -1;
      for (const element of [row.link, ...row.root.querySelectorAll("input, .lib-acts > *")]) set(element, { tabindex: stop });
    }
  }

  function focusRow(row = rows.get(current)) {
    if (!row) return;
    current = row.id;
    rove();
    row.link.focus({ preventScroll: true });
    row.root.scrollIntoView({ block: "nearest" });
  }

  function step(by, extend) {
    const at = order.findIndex(({ id }) => id === current), isIn = document.activeElement?.closest?.(".lib-row");
    const next = order[Math.max(0, Math.min(order.length - 1, isIn ? at + by : at))];
    if (!next) return;
    if (extend) {
      if (!chosen.size) { from = current; chosen.add(current); }
      const a = order.findIndex(({ id }) => id === from), b = order.indexOf(next);
      chosen.clear();
      order.slice(Math.min(a, b), Math.max(a, b) + 1).forEach(({ id }) => chosen.add(id));
      showAll();
    }
    focusRow(next);
  }

  function keyed(event) {
    const { target, key } = event, at = target instanceof Element ? target : document.body;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !list.facts) return;
    if (document.querySelector('dialog[open], [role="dialog"], [data-testid="stPopoverBody"], .lib-menu:popover-open')) return;
    if (at.matches("textarea, select, [contenteditable=true], [role=combobox], input:not(.lib-box)")) return;
    const isIn = Boolean(at.closest(".lib-row")), row = rows.get(current), isLink = at === row?.link;
    const acts = {
      j: () => step(1, event.shiftKey), k: () => step(-1, event.shiftKey),
      ArrowDown: isIn && (() => step(1, event.shiftKey)), ArrowUp: isIn && (() => step(-1, event.shiftKey)),
      Home: isIn && (() => step(-order.length)), End: isIn && (() => step(order.length)),
      x: row && (() => { toggle(row); focusRow(); }), s: row && (() => starAll(chosen.size ? [...chosen] : [row.id])),
      " ": isLink && row.told.clip && (() => large(row)), Escape: chosen.size && (() => { clear(); focusRow(); }),
    };
    const act = acts[key.length === 1 ? key.toLowerCase() : key];
    if (!act) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    act();
  }

  // -- menus

  function place(popover, near) {
    if (!popover.matches(":popover-open")) popover.showPopover();
    const { bottom, top, right } = near.getBoundingClientRect(), { offsetHeight: tall, offsetWidth: wide } = popover;
    Object.assign(popover.style, { left: `${Math.max(8, right - wide)}px`, top: `${bottom + tall + 8 > innerHeight ? Math.max(8, top - tall - 4) : bottom + 4}px` });
    popover.querySelector("button, a, input")?.focus();
  }

  function openMenu(row, near) {
    const can = (what) => (list.facts.can ?? []).includes(what), may = row.told.may ?? "", { id } = row, address = new URL(row.link.href, location.href).href;
    const item = (words, shape, press) => set(button(words, shape, () => { menu.hidePopover(); near.focus(); press(); }), { role: "menuitem" });
    menu.replaceChildren(
      item("Open", "open_in_full", () => row.link.click()),
      item("Copy link", "link", () => copy(address)),
      item("Select", "check_box", () => toggle(row)),
      ...may.includes("d") && can("collect") ? [item("Collect…", "library_add", () => send("collect", [id]))] : [],
      ...may.includes("d") && may.includes("c") && can("share") ? [item("Share…", "ios_share", () => send("share", [id]))] : [],
      ...may.includes("c") ? [
        item("Tags…", "label", () => send("tag", [id])),
        item(row.told.hidden ? "Show again" : "Hide", row.told.hidden ? "visibility" : "visibility_off", () => send(row.told.hidden ? "show" : "hide", [id])),
        ...may.includes("d") ? [item("Delete the file…", "delete", () => send("delete", [id]))] : [],
      ] : [],
    );
    set(menu, { "aria-label": `More: ${row.told.words.join("").slice(0, 80)}` });
    place(menu, near);
  }

  function menuKeyed(event) {
    const items = [...event.currentTarget.querySelectorAll("button, input")], at = items.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    items[(next + items.length) % items.length].focus();
  }

  async function copy(address) { // bar.js gives a clipboard where the browser has none
    const done = await navigator.clipboard.writeText(new URL(address).origin + new URL(address).pathname + new URL(address).search.replace(/&.*/, "")).then(() => true, () => false);
    set(said, { text: done ? "Link copied" : "This browser does not copy." });
    said.hidden = false;
    setTimeout(() => { said.hidden = true; }, 2000);
  }
  const said = set(make("div", "lib-said"), { role: "status", hidden: "" });
  root.append(said);

  // -- columns of wide windows

  function showColumns() {
    const names = list.facts.columns.map(([name]) => name), on = (kept(localStorage, COLUMNS) ?? "").split(",").filter((name) => names.includes(name));
    const now = names.map((name) => on.includes(name));
    root.style.setProperty("--extra", list.facts.columns.filter((_, at) => now[at]).map(([, width]) => `${width}px`).join(" "));
    head.hidden = !order.length;
    for (const row of order) [...row.root.querySelector(".lib-extra").children].forEach((cell, at) => { cell.hidden = !now[at]; });
    if (head.dataset.on === String(now)) return;
    head.dataset.on = String(now);
    const cell = (words) => make("span", "", words), extra = make("span", "lib-extra");
    extra.append(...names.filter((_, at) => now[at]).map(cell));
    head.replaceChildren(columns, cell(""), extra);
    choice.replaceChildren(...names.map((name, at) => {
      const label = make("label"), box = Object.assign(set(make("input"), { type: "checkbox" }), { checked: now[at] });
      label.append(box, name);
      box.addEventListener("change", () => {
        const chosenNow = [...choice.querySelectorAll("input")].flatMap((each, place) => each.checked ? [names[place]] : []);
        kept(localStorage, COLUMNS, chosenNow.join(","));
        showColumns();
        place(choice, columns); // the button has moved
        choice.querySelectorAll("input")[at].focus();
      });
      return label;
    }));
  }

  // -- fingers: a long press selects, a swipe to the left shows star and hide

  const touch = { row: null, x: 0, y: 0, timer: null, quiet: false, moves: false };
  function shut(but) { order.forEach((row) => { if (row.swiped && row !== but) { row.swiped = false; row.root.style.removeProperty("--swipe"); } }); }
  function down({ touches, target }) {
    touch.row = touches.length === 1 ? rows.get(target.closest?.(".lib-row")?.dataset.job) : null;
    clearTimeout(touch.timer);
    shut(touch.row);
    if (!touch.row) return;
    Object.assign(touch, { x: touches[0].clientX, y: touches[0].clientY, moves: false });
    touch.timer = setTimeout(() => {
      if (!touch.row) return;
      toggle(touch.row);
      touch.quiet = true;
      navigator.vibrate?.(10);
      touch.row = null;
    }, LONG_PRESS);
  }
  function moved({ touches: [{ clientX, clientY }] }) {
    const x = clientX - touch.x, y = clientY - touch.y;
    if (!touch.row || (Math.abs(x) < 8 && Math.abs(y) < 8)) return;
    clearTimeout(touch.timer);
    if (!touch.moves && Math.abs(y) > Math.abs(x)) { touch.row = null; return; }
    touch.moves = true;
    if (PHONE.matches) touch.row.root.style.setProperty("--swipe", `${Math.max(-SWIPE, Math.min(0, x - (touch.row.swiped ? SWIPE : 0)))}px`);
  }
  function up({ changedTouches: [{ clientX }] }) {
    const { row, moves } = touch;
    clearTimeout(touch.timer);
    touch.row = null;
    if (!row || !moves) return;
    touch.quiet = true;
    row.swiped = PHONE.matches && clientX - touch.x < (row.swiped ? SWIPE / 2 : -SWIPE / 2);
    if (row.swiped) row.root.style.setProperty("--swipe", `-${SWIPE}px`); else row.root.style.removeProperty("--swipe");
  }
  body.addEventListener("touchstart", down, { passive: true });
  body.addEventListener("touchmove", moved, { passive: true });
  body.addEventListener("touchend", up, { passive: true });
  body.addEventListener("contextmenu", (event) => { if (touch.quiet || touch.row) event.preventDefault(); });
  body.addEventListener("pointerdown", () => { touch.quiet = false; });
  body.addEventListener("focusin", ({ target }) => {
    const row = rows.get(target.closest(".lib-row")?.dataset.job);
    if (row && row.id !== current) { current = row.id; rove(); }
  });
  for (const each of [menu, choice]) each.addEventListener("keydown", menuKeyed);

  const watcher = new MutationObserver((changes) => { if (changes.some(({ target }) => !root.contains(target))) read(); });
  list.start = () => {
    if (timer) return;
    timer = setInterval(tick, 500);
    watcher.observe(around, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-list", "data-sums"] });
    addEventListener("keydown", keyed, true);
    scroller.style.overflowAnchor = "none"; // the scroll is kept here, also where a browser does not
    read();
  };
  list.stop = () => {
    clearInterval(timer);
    timer = null;
    watcher.disconnect();
    removeEventListener("keydown", keyed, true);
    scroller.style.overflowAnchor = "";
  };
  return list;
}

export default function ({ parentElement, setTriggerValue }) {
  const list = parentElement.studioList ??= newList(parentElement);
  list.trigger = setTriggerValue;
  list.start();
  return list.stop;
}
