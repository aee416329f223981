// Small menus of the list of History: what ⋯ on a row opens, and what stands near a button.
function iconButton(words, shape, press) {
  const element = set(make("button"), { type: "button" });
  element.append(icon(shape), make("span", "", words));
  element.addEventListener("click", press);
  return element;
}

function placeNear(popover, near) {
  if (!popover.matches(":popover-open")) popover.showPopover();
  const { bottom, top, right } = near.getBoundingClientRect(), { offsetHeight: tall, offsetWidth: wide } = popover;
  Object.assign(popover.style, { left: `${Math.max(8, right - wide)}px`, top: `${bottom + tall + 8 > innerHeight ? Math.max(8, top - tall - 4) : bottom + 4}px` });
  popover.querySelector("button, a, input")?.focus();
}

function menuKeyed(event) {
  const items = [...event.currentTarget.querySelectorAll("button, input")], at = items.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  items[(next + items.length) % items.length].focus();
}

function newRowMenu(list) {
  const menu = set(make("div", "lib-menu"), { popover: "auto", role: "menu" });
  const said = set(make("div", "lib-said"), { role: "status", hidden: "" });

  function open(row, near) {
    const can = (what) => (list.facts.can ?? []).includes(what), may = row.told.may ?? "", { id } = row, address = new URL(row.link.href, location.href).href;
    const item = (words, shape, press) => set(iconButton(words, shape, () => { menu.hidePopover(); near.focus(); press(); }), { role: "menuitem" });
    menu.replaceChildren(
      item("Open", "open_in_full", () => row.link.click()),
      item("Copy link", "link", () => copy(address)),
      item("Select", "check_box", () => list.toggle(row)),
      ...may.includes("d") && can("collect") ? [item("Collect…", "library_add", () => list.send("collect", [id]))] : [],
      ...may.includes("d") && may.includes("c") && can("share") ? [item("Share…", "ios_share", () => list.send("share", [id]))] : [],
      ...may.includes("c") ? [
        item("Tags…", "label", () => list.send("tag", [id])),
        item(row.told.hidden ? "Show again" : "Hide", row.told.hidden ? "visibility" : "visibility_off", () => list.send(row.told.hidden ? "show" : "hide", [id])),
        ...may.includes("d") ? [item("Delete the file…", "delete", () => list.send("delete", [id]))] : [],
      ] : [],
    );
    set(menu, { "aria-label": `More: ${row.told.words.join("").slice(0, 80)}` });
    placeNear(menu, near);
  }

  async function copy(address) { // bar.js gives a clipboard where the browser has none
    const done = await navigator.clipboard.writeText(new URL(address).origin + new URL(address).pathname + new URL(address).search.replace(/&.*/, "")).then(() => true, () => false);
    set(said, { text: done ? "Link copied" : "This browser does not copy." });
    said.hidden = false;
    setTimeout(() => { said.hidden = true; }, 2000);
  }

  menu.addEventListener("keydown", menuKeyed);
  list.root.append(menu, said);
  return open;
}
