// One row of History: what is told of a job, and what can be done with it.
function parts(element, texts = []) { // every second one was found
  element.replaceChildren(...texts.map((text, at) => at % 2 ? make("mark", "", text) : document.createTextNode(text)));
}

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
