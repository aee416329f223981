// What ⋯ on a picture opens, also with Shift F10.
function newMenu(wall) {
  const menu = set(make("div", "lib-menu wall-menu"), { popover: "auto", role: "menu" });
  wall.root.append(menu);

  function open(tile, near) {
    const { told, id } = tile, may = told.may ?? "", at = wall.order.indexOf(id), can = wall.can;
    const item = (words, look, press) => set(pressable(words, look, () => { menu.hidePopover(); wall.focus(tile); press(); }), { role: "menuitem" });
    const items = [
      told.src && item("Open", "open_in_full", () => wall.open(tile)),
      wall.facts.link && item("All about it", "movie", () => wall.leave(fill(wall.facts.link, id))),
      may.includes("r") && item("Remix", "edit_square", () => wall.leave(`${BASE}/?from=${encodeURIComponent(id)}`)),
      item(wall.chosen.has(id) ? "Take out of the selection" : "Select", "check_box", () => wall.toggle(tile)),
      told.batch && item("All of its batch", "stacks", () => wall.leave(`${BASE}/gallery?batch=${encodeURIComponent(told.batch)}`)),
      told.src && item("Copy link", "link", () => copy(id)),
      can("collect") && item("Collect…", "library_add", () => wall.send("collect", [id])),
      can("share") && told.src && may.includes("s") && item("Share…", "ios_share", () => wall.send("share", [id])),
      told.src && download(id),
      wall.facts.can_order && at > 0 && item("Move earlier", "arrow_back", () => wall.move([id], wall.order[at - 1])),
      wall.facts.can_order && at < wall.order.length - 1 && item("Move later", "arrow_forward", () => wall.move([id], wall.order[at + 2] ?? "")),
      ...[...wall.choice.extra].map(([name, { words, look }]) => item(words, look, () => wall.send(name, [id]))),
      may.includes("c") && item("Tags…", "label", () => wall.send("tag", [id])),
      may.includes("c") && item(told.hidden ? "Show again" : "Hide", told.hidden ? "visibility" : "visibility_off", () => wall.hide([id])),
      may.includes("c") && told.src && item("Delete the file…", "delete", () => wall.send("delete", [id])),
    ];
    menu.replaceChildren(...items.filter(Boolean));
    set(menu, { "aria-label": `More: ${(told.prompt ?? "").slice(0, 80)}` });
    menu.showPopover();
    const { bottom, top, right } = near.getBoundingClientRect(), { offsetHeight: tall, offsetWidth: wide } = menu;
    const below = bottom + tall + 8 > innerHeight ? Math.max(8, Math.min(top - tall - 4, innerHeight - tall - 8)) : bottom + 4;
    Object.assign(menu.style, { left: `${Math.max(8, right - wide)}px`, top: `${below}px` });
    menu.querySelector("button, a").focus();
  }

  function download(id) {
    const link = set(make("a"), { role: "menuitem", href: `${BASE}/take-away?ids=${encodeURIComponent(id)}`, download: "" });
    link.append(icon("download"), make("span", "", "Download"));
    link.addEventListener("click", () => menu.hidePopover());
    return link;
  }

  async function copy(id) { // frame/bar.js gives a clipboard where the browser has none
    const address = `${location.origin}${BASE}/gallery?clip=${encodeURIComponent(id)}`;
    const done = await navigator.clipboard.writeText(address).then(() => true, () => false);
    wall.choice.say(done ? "Link copied" : "This browser does not copy.");
  }

  menu.addEventListener("keydown", (event) => {
    const items = [...menu.querySelectorAll("button, a")], at = items.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    items[(next + items.length) % items.length].focus();
  });
  return open;
}
