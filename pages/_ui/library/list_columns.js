// The columns that a wide window has room for, and the choice of them, which the browser keeps.
const COLUMNS = "studio-columns"; // in the browser's storage

function newColumns(list, head) {
  const choice = set(make("div", "lib-menu"), { popover: "auto", "aria-label": "Columns" });
  const columns = set(make("button", "lib-columns"), { type: "button", "aria-haspopup": "true" });
  columns.append(icon("view_column"), make("span", "", "Columns"));
  columns.addEventListener("click", () => { placeNear(choice, columns); });
  choice.addEventListener("keydown", menuKeyed);
  list.root.append(choice);

  function show() {
    const names = list.facts.columns.map(([name]) => name), on = (kept(localStorage, COLUMNS) ?? "").split(",").filter((name) => names.includes(name));
    const now = names.map((name) => on.includes(name));
    list.root.style.setProperty("--extra", list.facts.columns.filter((_, at) => now[at]).map(([, width]) => `${width}px`).join(" "));
    head.hidden = !list.order().length;
    for (const row of list.order()) [...row.root.querySelector(".lib-extra").children].forEach((cell, at) => { cell.hidden = !now[at]; });
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
        show();
        placeNear(choice, columns); // the button has moved
        choice.querySelectorAll("input")[at].focus();
      });
      return label;
    }));
  }

  return { show };
}
