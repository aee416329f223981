// On a phone a card above the button says how far a clip is, and opens the stage over the form; Back closes it again.
function newPhone(root, box, seconds) {
  const card = set(make("button", "stage-mini"), { type: "button", "aria-label": "Show the clip" });
  const time = make("b"), say = make("span"), bar = make("div", "stage-bar"), more = make("span", "stage-more");
  const shut = button("stage-shut", "Back to the form", "down", close);
  let job = null, from = null;
  bar.append(make("i"));
  card.append(time, say, more, icon("up"), bar);
  card.addEventListener("click", open);

  // What is on the stage, and how many videos are under way.
  function update(jobs, running, isShown, isFirst) {
    set(document.documentElement, { "data-stage-mini": isShown ? "yes" : null, "data-stage-first": isFirst ? "yes" : null });
    card.hidden = !isShown;
    if (!isShown) return;
    job = jobs.find(({ look }) => look === "made") ?? jobs[0];
    const others = running - jobs.filter(isUnderWay).length;
    set(more, { text: others > 0 ? `+${others}` : "" });
    tick();
  }

  function tick() {
    if (!job || card.hidden) return;
    const made = job.look === "made", spent = made ? seconds(job) : 0;
    set(time, { text: made ? minutes(spent) : job.look === "done" ? "Done" : job.say ?? job.word });
    set(say, { text: made ? (job.high && spent > job.high ? "longer than usual" : job.usual || "being made") : job.look === "done" ? "· play" : job.look === "failed" ? "· see why" : "" });
    bar.hidden = !made || !job.high;
    bar.firstChild.style.width = `${job.high ? Math.min(100, 100 * spent / job.high) : 0}%`;
    const pinned = document.querySelector(".st-key-pinned");
    if (PHONE.matches && pinned) root.style.setProperty("--mini", `${Math.max(0, Math.round(innerHeight - pinned.getBoundingClientRect().top - 64))}px`);
  }

  const isOpen = () => document.documentElement.dataset.stage === "open";
  function open() {
    if (isOpen()) return;
    history.pushState({ ...history.state, stage: "open" }, "");
    document.documentElement.dataset.stage = "open";
    document.querySelector(".st-key-column")?.setAttribute("inert", "");
    shut.focus();
  }
  function closed() {
    delete document.documentElement.dataset.stage;
    document.querySelector(".st-key-column")?.removeAttribute("inert");
  }
  function close() { if (isOpen()) history.back(); }
  function popped(event) {
    if (!isOpen() || document.querySelector("dialog.viewer[open]")) return; // the lightbox takes it
    event.stopImmediatePropagation(); // Streamlit would take it for another page
    closed();
    card.focus();
  }
  box.addEventListener("touchstart", (event) => { from = finger(event); }, { passive: true });
  box.addEventListener("touchend", ({ changedTouches: [touch] }) => {
    if (from && touch.clientY - from.clientY > 80 && Math.abs(touch.clientX - from.clientX) < 60) close();
  }, { passive: true });

  function start() { addEventListener("popstate", popped, true); }
  function stop() {
    removeEventListener("popstate", popped, true);
    closed();
    set(document.documentElement, { "data-stage-mini": null, "data-stage-first": null });
  }
  return { card, shut, update, tick, isOpen, close, start, stop };
}
