// The list of History: rows that stay where they are while jobs change, their keys, and what is selected.
// Everything that comes from jobs is put in as text; an id becomes a part of an address encoded.
const PHONE = matchMedia("(max-width: 640px)");
const PLACE = "studio-list-place"; // in the browser's storage

function newList(parent) {
  const root = set(make("div", "lib"), { role: "region", "aria-label": "Jobs" }), head = make("div", "lib-head"), body = make("div");
  const around = parent.closest(".st-key-history") ?? document.body;
  const scroller = document.querySelector('[data-testid="stMain"]') ?? document.scrollingElement;
  const rows = new Map(), days = new Map(), chosen = new Set();
  let order = [], current = "", from = "", last = "", sums = {}, timer = null, unseen = true;
  const list = { root, rows, facts: null, skew: 0, chosen, order: () => order, send, star: starAll, toggle, pressed, choose: showChoice, clear, focus: focusRow, all };
  const bar = newBar(list), columns = newColumns(list, head), touch = newFingers(list, body);
  list.menu = newRowMenu(list);
  root.prepend(head, body, bar.root);
  parent.append(root);

  // -- to and from the server

  function send(what, ids) {
    sender.send("page", what, ids);
  }

  function read() {
    const element = around.querySelector("[data-list]"), added = around.querySelector("[data-sums]");
    const now = element && `${element.dataset.did} ${element.dataset.list}`;
    if (element && now !== last) {
      last = now;
      sender.read(); // first: what was done is told here
      const facts = JSON.parse(element.dataset.list), isOther = list.facts && list.facts.of !== facts.of;
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
      rows.get(each.id).update(pending(each));
    }
    for (const key of days.keys()) if (!facts.days.some((day) => day.key === key)) days.delete(key);
    for (const { key } of facts.days) if (!days.has(key)) days.set(key, newDay(key));
    order = told.map(({ id }) => rows.get(id));
    put(body, facts.days.map(({ key }) => days.get(key).root));
    for (const { key, name, rows: own } of facts.days) days.get(key).update(name, own.map(({ id }) => rows.get(id).root));
    if (!rows.has(current)) current = order[Math.min(Math.max(at, 0), order.length - 1)]?.id ?? "";
    if (held && !held.isConnected) focusRow(); // its row is gone: the next one has the focus
    rove();
    columns.show();
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
    if (touch.isQuiet) return; // it ends a swipe or a long press
    if (row.swiped) { touch.shut(); return; }
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

  // -- stars are seen at once, and lie over what the server tells until it has answered

  function starAll(ids) {
    const some = ids.map((id) => rows.get(id)).filter(Boolean), on = some.some(({ told }) => told.star !== 2);
    some.forEach((row) => row.update(starred(row.told, on)));
    send(on ? "star" : "unstar", ids);
  }

  const starred = (told, on) => ({ ...told, star: on ? 2 : told.stars ? 1 : 0 });
  function pending(told) {
    const star = sender.of(told.id).findLast(({ what }) => ["star", "unstar"].includes(what))?.what;
    return star ? starred(told, star === "star") : told;
  }
  const lost = () => { last = ""; read(); };

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

  body.addEventListener("focusin", ({ target }) => {
    const row = rows.get(target.closest(".lib-row")?.dataset.job);
    if (row && row.id !== current) { current = row.id; rove(); }
  });

  const watcher = new MutationObserver((changes) => { if (changes.some(({ target }) => !root.contains(target))) read(); });
  list.start = () => {
    if (timer) return;
    timer = setInterval(tick, 500);
    watcher.observe(around, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-list", "data-did", "data-sums"] });
    addEventListener("keydown", keyed, true);
    document.addEventListener("studio:lost", lost);
    scroller.style.overflowAnchor = "none"; // the scroll is kept here, also where a browser does not
    read();
  };
  list.stop = () => {
    clearInterval(timer);
    timer = null;
    watcher.disconnect();
    removeEventListener("keydown", keyed, true);
    document.removeEventListener("studio:lost", lost);
    scroller.style.overflowAnchor = "";
  };
  return list;
}

export default function ({ parentElement, setTriggerValue }) {
  const list = parentElement.studioList ??= newList(parentElement);
  const leave = sender.mount("page", setTriggerValue);
  list.start();
  return () => { leave(); list.stop(); };
}
