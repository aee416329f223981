// The page Compare around its deck: what differs between the clips, other takes to put in, the address, the decision.
// Python tells what it shows by a hidden element, and is asked again when other clips were chosen.

const AGAIN = 1500, PATIENCE = 8; // milliseconds until a press that was not answered is sent again; how often
const PHONE = matchMedia("(max-width: 640px)"), HERE = /\/compare\/?$/;

function newPage(mount) {
  const page = make("div", { class: "compare-page" });
  const stage = make("div", { class: "deck" }), notices = make("div", { class: "compare-notices" });
  const differs = make("details", { class: "compare-differs" }, make("summary", { text: "What differs" }));
  const words = make("div", { class: "compare-words" });
  const takes = make("div", { class: "compare-strip" }), recent = make("div", { class: "compare-strip", hidden: true });
  const empty = make("div", { class: "compare-empty", hidden: true });
  differs.append(words);
  page.append(stage, empty, differs, takes, recent);
  mount.append(page);
  const deck = newDeck(stage, { did });
  let facts = null, text = "", clips = [], adding = false, wanted = null, first = true, trigger = () => {};
  differs.open = !PHONE.matches;

  // -- what Python tells

  function read() {
    const told = document.querySelector("[data-compare]")?.dataset.compare;
    if (!told || told === text || !HERE.test(location.pathname)) return; // who has left already asks for no clips
    text = told;
    facts = JSON.parse(told);
    const asked = [...new Set((new URLSearchParams(location.search).get("ids") ?? "").split(",").map((id) => id.trim()).filter(Boolean))].join();
    if (asked !== facts.asked.join()) { // of before other clips were put in, or of another visit
      if (!wanted) ask(asked);
      if (!first) return;
    } else wanted = null;
    show(facts.clips);
  }

  function show(next) {
    const asked = new URLSearchParams(location.search), number = (name) => Math.max(Number(asked.get(name)) || 0, 0);
    clips = next;
    stage.hidden = !clips.length;
    empty.hidden = Boolean(clips.length);
    notices.replaceChildren(...(clips.length ? facts.notices : facts.notices.slice(0, -1)).map((each) => make("p", { role: "status", text: each })));
    if (clips.length) {
      stage.firstChild.after(notices); // where they are in sight, under the head
      deck.show(clips, first ? { at: number("at"), from: number("in"), until: number("out"), first } : {});
      if (first && !asked.has("at") && !matchMedia("(prefers-reduced-motion: reduce)").matches) deck.sync.play();
      first = false;
    } else {
      const back = make("a", { href: facts.back, text: `Choose clips in ${/\/history\b/.test(facts.back) ? "History" : "Gallery"}`, "data-go": true });
      empty.replaceChildren(make("h1", { text: "Compare" }), make("p", { text: facts.opening ? "The log is being read." : facts.notices.at(-1) ?? "" }), notices, back);
    }
    differ();
    strips();
  }

  // -- what differs

  function differ() {
    const isNow = facts.clips.map(({ id }) => id).join() === clips.map(({ id }) => id).join();
    if (!isNow) return; // what was said stands until Python has compared the new ones
    const rows = promptRows(facts.prompts, clips.length);
    if (facts.settings.length) {
      const line = make("p");
      for (const { name, values } of facts.settings) {
        const each = make("span", { class: "compare-setting" }, `${name} `);
        values.forEach((value, index) => {
          const isGone = values.length === 2 && index === 0;
          each.append(make(isGone ? "del" : "ins", { text: value, "data-letter": LETTERS[index], title: `Clip ${LETTERS[index]}` }), " ");
        });
        line.append(each);
      }
      rows.push(differRow("Also differs", line));
    } else if (clips.length > 1) {
      rows.push(differRow("Also differs", make("p", { class: "compare-fine", text: "Nothing: the same settings." })));
    }
    words.replaceChildren(...rows);
    differs.hidden = clips.length < 2;
  }

  // -- other clips

  function strips() {
    const fill = (strip, name, list) => {
      const shown = list.map((clip) => {
        const index = clips.findIndex(({ id }) => id === clip.id), letter = LETTERS[index];
        const picture = make("img", { alt: "", loading: "lazy", decoding: "async", src: clip.poster, draggable: "true" });
        return make("button", { type: "button", class: "compare-take", "data-take": clip.id, draggable: "true", "aria-pressed": String(index >= 0), title: clip.prompt,
          "aria-label": `${clip.prompt || "Clip"}, ${clip.when}${letter ? `, ${letter}` : ""}` }, picture, letter && make("b", { class: "deck-letter", "data-letter": letter, text: letter }));
      });
      strip.hidden = !list.length;
      strip.replaceChildren(make("h2", { text: name }), make("div", { class: "compare-takes" }, ...shown));
    };
    const hasTakes = facts.takes.some(({ id }) => !clips.some((clip) => clip.id === id));
    fill(takes, "Other takes", hasTakes ? facts.takes : []);
    const others = facts.recent.filter(({ id }) => !facts.takes.some((take) => take.id === id));
    fill(recent, "Recent clips", adding || !clips.length || clips.length < 2 ? others : []);
    page.toggleAttribute("data-adding", adding);
    deck.add.setAttribute("aria-pressed", String(adding));
  }

  function known(id) { return [...facts.clips, ...facts.takes, ...facts.recent, ...clips].find((clip) => clip.id === id); }

  // Puts a clip into a place; a new one if that is the one after the last.
  function put(id, index) {
    const clip = known(id), there = clips.findIndex((each) => each.id === id);
    if (!clip || index < 0 || index >= LETTERS.length || there === index) return;
    const next = [...clips];
    if (there >= 0) [next[index], next[there]] = [clip, next[index] ?? clip];
    else next[index] = clip;
    choose(next.filter((each, place) => next.findIndex(({ id: other }) => other === each.id) === place));
  }

  function choose(next) {
    adding = false;
    const here = address(next);
    history.replaceState(history.state, "", here);
    if (next.length) show(next.map((clip) => ({ ...clip, rating: clip.rating ?? 0, keep: facts.clips.some(({ keep }) => keep) })));
    ask(next.map(({ id }) => id).join());
  }

  function ask(ids, times = 0) {
    wanted = { ids };
    trigger("did", { what: "ids", ids, n: Date.now() });
    const mine = wanted;
    setTimeout(() => { if (wanted === mine && times < PATIENCE) ask(ids, times + 1); }, AGAIN);
  }

  function address(list, withPlace = true) {
    const url = new URL(location.href), { from, until, at } = deck.sync, set = (name, value) => (value > 0.01 ? `&${name}=${value.toFixed(2)}` : "");
    url.search = `?ids=${list.map(({ id }) => encodeURIComponent(id)).join(",")}${set("in", from)}${set("out", until)}${withPlace ? set("at", at) : ""}`;
    return url.href;
  }

  // -- what is pressed

  function did(what, of) {
    if (what === "close") go(facts.back);
    else if (what === "add") { adding = !adding; strips(); if (adding) (recent.hidden ? takes : recent).scrollIntoView({ block: "nearest" }); }
    else if (what === "link") copy(of);
    else if (what === "remove") choose(clips.filter(({ id }) => id !== of.id));
    else if (what === "keep") {
      show(clips.map((clip) => ({ ...clip, kept: clip.id === of.id, hidden: clip.id !== of.id })));
      trigger("did", { what: "keep", of: of.id, ids: clips.map(({ id }) => id).join(), n: Date.now() });
    } else if (what === "moved") history.replaceState(history.state, "", address(clips, !deck.sync.playing));
  }

  function go(href) {
    history.pushState({}, "", href);
    dispatchEvent(new PopStateEvent("popstate", { state: {} }));
    document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
  }

  async function copy(button) {
    await navigator.clipboard.writeText(address(clips)).then(() => { button.lastChild.textContent = "Copied"; }, () => { button.lastChild.textContent = "Press Ctrl+C"; });
    setTimeout(() => { button.lastChild.textContent = "Copy link"; }, 2000);
  }

  function pressed(event) {
    const take = event.target.closest?.("[data-take]"), link = event.target.closest?.("a[data-go]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); go(link.href); }
    else if (take) put(take.dataset.take, (adding || clips.length < 2) && clips.length < LETTERS.length ? clips.length : deck.last);
  }

  function dragged(event) {
    const take = event.target.closest?.("[data-take]");
    if (take) event.dataTransfer.setData("application/x-clip", take.dataset.take);
  }
  const target = (event) => (event.dataTransfer?.types.includes("application/x-clip") ? event.target.closest?.(".deck-player") : null);
  function over(event) { if (target(event)) event.preventDefault(); }
  function dropped(event) {
    const figure = target(event);
    if (!figure) return;
    event.preventDefault();
    put(event.dataTransfer.getData("application/x-clip"), Number(figure.dataset.index));
  }

  const others = () => document.querySelector('dialog[open], [role="dialog"], [data-testid="stPopoverBody"]');
  function keyed(event) {
    if (others() || !facts) return;
    if (!clips.length) { if (event.key === "Escape") go(facts.back); return; }
    if (event.key === "Escape" && adding) { adding = false; strips(); event.preventDefault(); return; }
    deck.keyed(event);
  }

  const watcher = new MutationObserver((changes) => { if (changes.some(({ target: node }) => !page.contains(node))) read(); });
  const behind = () => document.querySelector('[data-testid="stLayoutWrapper"]:has(> .st-key-bar)');
  return {
    start(set) {
      trigger = set;
      if (page.isConnected && page.started) { read(); return; }
      mount.append(page);
      page.started = true;
      document.documentElement.dataset.room = "compare";
      behind()?.setAttribute("inert", "");
      page.addEventListener("click", pressed);
      for (const [name, act] of [["dragstart", dragged], ["dragover", over], ["drop", dropped]]) page.addEventListener(name, act);
      addEventListener("keydown", keyed, true);
      watcher.observe(document.querySelector(".st-key-compare") ?? document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-compare"] });
      read();
    },
    stop() {
      wanted = null; // it is not asked for again
      removeEventListener("keydown", keyed, true);
      watcher.disconnect();
      deck.stop();
      page.remove();
      delete document.documentElement.dataset.room;
      behind()?.removeAttribute("inert");
    },
  };
}

export default function ({ parentElement, setTriggerValue }) {
  const page = parentElement.studioCompare ??= newPage(parentElement);
  page.start(setTriggerValue);
  return () => { delete parentElement.studioCompare; page.stop(); };
}
