// The strip below the stage: the clips of this session, and the newest ones of everybody.
const lost = new Set(); // ids of clips whose picture is not there

function newThumb(stage) {
  const root = make("li", "stage-item"), choose = set(make("button", "stage-thumb"), { type: "button", tabindex: -1 });
  const pictures = make("span", "stage-pictures"), words = set(make("span", "stage-caption"), { "aria-hidden": "true" });
  const cancel = set(make("button", "stage-cancel", "Cancel (nothing spent)"), { type: "button", tabindex: -1 });
  choose.append(pictures, words);
  root.append(choose);
  const parts = new Map();
  const thumb = { root, choose, cancel, card: null, update, tick };
  choose.addEventListener("click", () => stage.choose(thumb.card.key));
  choose.addEventListener("dblclick", () => { if (thumb.card.of === 1 && thumb.card.jobs[0].look === "done") stage.large(thumb.card.jobs[0].id); });
  cancel.addEventListener("click", () => stage.send("cancel", thumb.card.jobs[0].id));

  function update(card, isChosen, isOn, isMine) {
    thumb.card = card;
    const [first] = card.jobs, several = card.of > 1, waits = !several && ["waiting", "held"].includes(first.look);
    set(root, { "data-look": several ? "batch" : first.look, "data-count": several ? Math.min(card.of, 4) : null });
    if (isMine && ID.test(card.key)) root.classList.add(`st-key-task-${card.key}`);
    root.style.setProperty("--ratio", several ? 16 / 9 : Math.max(ratioOf(first), 9 / 16));
    const state = several ? `${card.done} of ${card.of} done` : waits ? first.say ?? first.word : first.word;
    set(choose, { "aria-current": isChosen ? "true" : null, "aria-label": `${state}: ${card.words.length > 80 ? card.words.slice(0, 80).replace(/\s+\S*$/, " …") : card.words}` });
    set(words, { text: several ? `${card.words.slice(0, 40)} · ${card.done} done` : card.words });
    const shown = card.jobs.slice(0, several ? 4 : 1);
    const places = shown.map((job) => partOf(job));
    put(pictures, places);
    shown.forEach((job, at) => fill(places[at], job, isOn(job), isMine));
    for (const id of parts.keys()) if (!shown.some((job) => job.id === id)) parts.delete(id);
    const queued = waits && Boolean(first.say);
    classed(root, "stage-queued", queued);
    if (queued && first.cancel && !isOn(first)) root.append(cancel); else cancel.remove();
    tick();
  }

  function partOf(job) {
    if (!parts.has(job.id)) parts.set(job.id, make("span", "stage-picture"));
    return parts.get(job.id);
  }

  function fill(part, job, isOn, isMine) {
    const kind = job.look !== "done" || lost.has(job.id) ? "span" : isMine && !isOn ? "video" : "img";
    if (part.dataset.kind !== kind) {
      part.replaceChildren();
      part.dataset.kind = kind;
      const inner = make(kind === "video" ? "span" : kind, kind === "span" ? "stage-word" : "");
      if (kind === "img") {
        Object.assign(inner, { alt: "", loading: "lazy", decoding: "async", src: clip(job.id, "jpg") });
        inner.addEventListener("error", () => { lost.add(job.id); fill(part, job, isOn, isMine); tick(); }, { once: true });
      }
      if (kind !== "video") part.append(inner);
    }
    if (kind === "video" && !part.firstChild) move(part, set(stage.video(job.id), { "aria-hidden": "true", "aria-label": null }));
    set(part, { "data-look": job.look, "data-clip": job.look === "done" && isOn ? job.id : null });
    classed(part, `st-key-clip-${job.id}`, job.look === "done" && !isOn);
    part.job = job;
  }

  function tick() {
    for (const part of parts.values()) {
      if (part.dataset.kind !== "span") continue;
      const { job } = part, queued = root.classList.contains("stage-queued");
      set(part.firstChild, { text: queued ? job.say : job.look === "made" && job.since && job.word !== "Queued" ? minutes(stage.seconds(job)) : job.word });
      part.firstChild.title = queued ? job.why ?? "" : "";
    }
  }

  return thumb;
}

function newShelf(stage, name) {
  const root = make("section", "stage-shelf"), list = make("ul");
  set(root, { "aria-label": name });
  root.append(make("h2", "stage-heading", name), list);
  const thumbs = new Map();
  return {
    root, thumbs,
    update(cards, chosen, isOn, isMine) {
      for (const key of thumbs.keys()) if (!cards.some((card) => card.key === key)) thumbs.delete(key);
      for (const { key } of cards) if (!thumbs.has(key)) thumbs.set(key, newThumb(stage));
      put(list, cards.map(({ key }) => thumbs.get(key).root));
      for (const card of cards) thumbs.get(card.key).update(card, card.key === chosen, isOn, isMine);
      root.hidden = !cards.length;
    },
  };
}
