// What stands beside the clip: whose it is, what it was made with, and what may be done with it.
function newPanel(box) {
  const root = set(make("aside", "viewer-panel"), { "aria-label": "About this clip" }), inner = make("div", "viewer-inner");
  const grip = set(make("button", "viewer-grip"), { type: "button", "aria-expanded": "false", "aria-label": "Show all about this clip" });
  const icons = make("div", "viewer-icons"), words = set(make("p", "viewer-prompt"), { dir: "auto" }), who = make("div", "viewer-who");
  const circle = set(make("span", "studio-person"), { "aria-hidden": "true" }), name = set(make("bdi"), {}), when = make("span");
  const buttons = make("div", "viewer-buttons"), facts = make("dl", "viewer-facts"), others = make("p", "viewer-fine");
  const details = make("details", "viewer-details"), rest = make("dl", "viewer-facts");
  const menu = set(make("div", "lib-menu viewer-menu"), { popover: "auto", role: "menu", "aria-label": "More" });
  const star = button("Star", "star", box.acts.star, { key: "S", name: "viewer-icon viewer-star" });
  const collect = button("Collect", "library_add", () => box.ask("collect")), share = button("Share", "ios_share", () => box.ask("share"));
  const hide = button("Hide", "visibility_off", box.acts.hide), more = button("More", "more_horiz", openMenu);
  const remix = link("Remix", "edit_square"), next = link("Continue", "arrow_forward"), keep = link("Download", "download");
  const copy = button("Copy link", "link", copyLink, { words: "Copy link", name: "viewer-button" });
  const film = button("Play the film", "movie", () => box.film(clip), { words: "Play the film", name: "viewer-button" });
  const compare = button("Compare", "compare", box.acts.compare, { key: "C", words: "Compare", name: "viewer-button" });
  const note = set(make("button", "viewer-note"), { type: "button", dir: "auto" });
  const rating = make("dd", "viewer-rate"), group = make("div", "viewer-rating"), tags = make("dd", "viewer-tags");
  const stars = [1, 2, 3, 4, 5].map((each) => button(`Rate ${each} of 5`, "star", () => box.rate(each), { key: String(each) }));
  let clip = null, drawn = "";

  set(group, { role: "group", "aria-label": "Your rating" });
  set(more, { "aria-haspopup": "menu" });
  remix.classList.add("viewer-first");
  group.append(...stars);
  rating.append(group);
  icons.append(star, collect, share, make("span", "viewer-gap"), hide, more);
  const person = make("div");
  person.append(name, when);
  who.append(circle, person);
  buttons.append(remix, next, keep, copy, compare, film);
  details.append(make("summary", "", "Details"), rest);
  inner.append(words, who, buttons, facts, others, details);
  root.append(grip, icons, inner, note, menu);
  grip.addEventListener("click", () => draw(!root.hasAttribute("data-up")));
  note.addEventListener("click", () => box.ask("note"));
  for (const way of [remix, next]) way.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    box.leave(way.href);
  });
  keep.addEventListener("click", () => box.say("The download begins."));

  function link(label, shape) {
    const element = make("a", "viewer-button");
    element.append(icon(shape), make("span", "", label));
    return element;
  }

  function draw(up) { // on a phone the panel is a sheet
    set(root, { "data-up": up ? "" : null });
    set(grip, { "aria-expanded": String(up), "aria-label": up ? "Show less about this clip" : "Show all about this clip" });
    if (!up) root.scrollTop = inner.scrollTop = 0;
  }

  function row(label, value) {
    const cell = typeof value === "string" ? set(make("dd", "", value), { dir: "auto" }) : value;
    return [make("dt", "", label), cell];
  }

  // Show what is known of a clip; what only the server tells (`may`, settings) may come a moment later.
  function show(shown) {
    clip = shown;
    const now = JSON.stringify([clip, box.marked()]), may = new Set(clip.may ?? []);
    if (now === drawn) return;
    drawn = now;
    set(words, { text: clip.text ?? clip.prompt ?? "" });
    who.hidden = !clip.when;
    set(name, { text: clip.who || "Nobody named" });
    set(when, { text: [clip.when, clip.cost].filter(Boolean).join(" · ") });
    set(circle, { text: clip.letters || (clip.who ?? "").slice(0, 1).toUpperCase() || "?", "data-colour": clip.colour ?? 0 });
    set(star, { "aria-pressed": String(Boolean(clip.star)) });
    relabel(star, clip.star ? "Take the star back" : "Star", "S");
    relabel(hide, clip.hidden ? "Show again" : "Hide", "H", clip.hidden ? "visibility" : "visibility_off");
    for (const [element, what] of [[star, "star"], [collect, "collect"], [share, "share"], [hide, "hide"]]) element.hidden = !may.has(what);
    remix.hidden = !clip.remix;
    if (clip.remix) set(remix, { href: clip.remix, title: "Remix (R)" });
    next.hidden = !clip.next;
    if (clip.next) set(next, { href: clip.next, title: "Go on from the last frame" });
    film.hidden = !clip.film;
    if (clip.film) {
      const words = clip.film.src ? `The film of ${clip.film.parts} clips that go on with each other` : clip.film.why;
      set(film, { disabled: clip.film.src ? null : "", title: words, "aria-label": `Play the film: ${words}` });
    }
    set(keep, { href: `${BASE}/take-away?ids=${encodeURIComponent(clip.id)}`, download: "" });
    keep.hidden = copy.hidden = compare.hidden = !clip.src;
    const marked = box.marked(), isMarked = marked === clip.id;
    set(compare.lastChild, { text: isMarked ? "Chosen" : "Compare" });
    set(compare, { "aria-label": "Compare", "aria-pressed": String(isMarked), title: isMarked ? "Go to another clip and press C" : marked ? "Compare with the clip that you chose (C)" : "Compare with another clip (C)" });
    stars.forEach((each, at) => set(each, { "aria-pressed": String(at < (clip.rating ?? 0)) }));
    tags.replaceChildren(...(clip.tags ?? []).map((tag) => set(make("span", "viewer-tag", tag), { dir: "auto" })));
    if (may.has("tag")) tags.append(Object.assign(make("button", "viewer-text", clip.tags?.length ? "Change" : "Add tags"), { type: "button", onclick: () => box.ask("tag") }));
    facts.replaceChildren(...(clip.settings ?? []).flatMap((each) => row(...each)), ...may.has("star") ? row("Rating", rating) : [], ...tags.firstChild ? row("Tags", tags) : []);
    others.replaceChildren(...(clip.opinions ?? []).flatMap(([who, said], at) => [at ? "; " : "", make("bdi", "", who), `: ${said}`]));
    others.hidden = !clip.opinions?.length;
    rest.replaceChildren(...(clip.details ?? []).flatMap((each) => row(...each)));
    details.hidden = !clip.details?.length;
    set(note, { text: clip.note || "Add a note…", "data-empty": clip.note ? null : "", disabled: may.has("note") ? null : "" });
    note.hidden = !may.has("note") && !clip.note;
  }

  async function copyLink() {
    const address = new URL(clip.link ?? location.href, location.href).href;
    const done = await navigator.clipboard?.writeText(address).then(() => true, () => false); // bar.js gives one where there is none
    box.say(done ? "Link copied" : "This browser does not copy.");
    set(copy.lastChild, { text: done ? "Copied" : "Copy link" });
    setTimeout(() => set(copy.lastChild, { text: "Copy link" }), 2000);
  }

  function openMenu() {
    const may = new Set(clip.may ?? []);
    const item = (label, shape, press) => set(button(label, shape, () => { menu.hidePopover(); more.focus(); press(); }, { words: label, name: "" }), { role: "menuitem", title: null });
    menu.replaceChildren(
      item("All about it", "movie", () => box.leave(clip.page)),
      item("Present from here", "slideshow", box.acts.present),
      ...clip.sound_of ? [item(clip.sound ? "Other sound…" : "Add sound…", "music_note", () => box.addSound(clip.sound_of))] : [],
      ...clip.film?.download ? [
        item("Download the film", "download", () => { location.href = clip.film.download; }),
        item("Present the film", "slideshow", () => document.dispatchEvent(new CustomEvent("studio:present", { detail: { ids: clip.film.ids } }))),
        ...may.has("share") ? [item("Share the film…", "ios_share", () => box.share(clip.film.ids))] : [],
      ] : [],
      ...may.has("tag") ? [item("Tags…", "label", () => box.ask("tag"))] : [],
      ...may.has("note") ? [item("Note…", "sticky_note_2", () => box.ask("note"))] : [],
      ...may.has("delete") ? [item("Delete the file…", "delete", () => box.ask("delete"))] : [],
    );
    menu.showPopover();
    const { bottom, right } = more.getBoundingClientRect();
    const top = bottom + 4 + menu.offsetHeight > innerHeight ? more.getBoundingClientRect().top - 4 - menu.offsetHeight : bottom + 4;
    Object.assign(menu.style, { left: `${Math.max(8, right - menu.offsetWidth)}px`, top: `${Math.max(8, top)}px` });
    menu.querySelector("button").focus();
  }

  menu.addEventListener("keydown", (event) => {
    const items = [...menu.querySelectorAll("button")], at = items.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    items[(next + items.length) % items.length].focus();
  });
  return { root, inner, show, draw, menu, remix, copyLink };
}
