// What is done with the rows that are selected: the bar at the bottom of History.
function newBar(list) {
  const root = set(make("div", "lib-bar"), { role: "toolbar", "aria-label": "Selected jobs", hidden: "" });
  const count = set(make("b"), { role: "status" }), acts = make("div", "lib-bar-acts");
  const others = "Some of these are somebody else’s: an admin can.", noClip = "None of these has a clip here.";
  let clips = [];

  const button = (words, shape, press, name = "") => {
    const element = set(make("button", name), { type: "button" });
    element.append(icon(shape), make("span", "", words));
    element.addEventListener("click", (event) => { if (element.getAttribute("aria-disabled") !== "true") press(event); });
    return element;
  };
  const link = (words, shape) => {
    const element = set(make("a"), { download: "" });
    element.append(icon(shape), make("span", "", words));
    return element;
  };
  const off = (element, why, words) => set(element, { "aria-disabled": why ? "true" : null, title: why || words || null });
  const chosen = () => [...list.chosen];

  const comparing = button("Compare", "compare", () => go(`${BASE}/compare?ids=${named(clips)}`), "lib-primary");
  const collecting = button("Collect", "library_add", () => list.send("collect", clips));
  const sharing = button("Share", "ios_share", () => list.send("share", clips));
  const loading = link("Download", "download"), exporting = link("Export", "table_view");
  const starring = button("Star", "star", () => list.star(chosen()));
  const tagging = button("Tags", "label", () => list.send("tag", chosen()));
  const hiding = button("Hide", "visibility_off", () => { list.send("hide", chosen()); list.clear(); });
  const all = set(button("All of this page", "select_all", () => list.all()), { "data-all": "" });
  const none = set(button("", "close", () => { list.clear(); list.focus(); }), { "aria-label": "Select nothing", title: "Select nothing (Esc)" });
  acts.append(comparing, collecting, sharing, loading, starring, tagging, hiding, exporting, all);
  root.append(count, acts, none);

  function whyNot() {
    if (clips.length > MOST_COMPARED) return `At most ${MOST_COMPARED} clips can be compared.`;
    return clips.length < 2 ? "Select two clips or more to compare." : "";
  }

  function show(some, isAll) { // the rows that are selected
    const { facts } = list, mine = some.every(({ told }) => told.may?.includes("c")), can = facts.can ?? [];
    root.hidden = !some.length;
    clips = some.filter(({ told }) => told.may?.includes("d")).map(({ id }) => id);
    if (!some.length) return;
    set(count, { text: `${some.length} selected` });
    off(comparing, whyNot());
    collecting.hidden = !can.includes("collect");
    sharing.hidden = !can.includes("share");
    off(collecting, clips.length ? "" : noClip);
    off(sharing, !clips.length ? noClip : mine ? "" : others);
    off(loading, clips.length ? "" : noClip, clips.length > 1 ? "Download as a ZIP" : "Download");
    set(loading, { href: clips.length ? `${BASE}/take-away?ids=${named(clips)}` : null });
    set(starring.lastChild, { text: some.every(({ told }) => told.star === 2) ? "Take the star back" : "Star" });
    for (const each of [tagging, hiding]) off(each, mine ? "" : others);
    set(exporting, { href: facts.export.replace(/ids=-/, `ids=${named(some.map(({ id }) => id))}`), title: "Export what is in the log about them" });
    all.hidden = isAll;
  }

  return { root, show };
}
