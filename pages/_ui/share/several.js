// Comparing the clips of a shared link. The deck that does it is loaded at the first press.

// tiles: of the wall; told: returns what the deck needs of one; ask: whether it is still there; most: clips at once; plays: whether they play by themselves;
// begun, ended: called when the wall is covered, and when it is seen again.
function newHall({ tiles, told, ask, most, plays, begun, ended }) {
  const dialog = document.getElementById("compare"), [stage, words, others] = ["deck", "differs", "others"].map((name) => Object.assign(document.createElement("div"), { className: name }));
  const here = location.pathname.replace(/\/$/, "");
  const said = Object.assign(document.createElement("p"), { role: "alert", textContent: "Compare cannot be loaded now. Try again in a moment." });
  let deck = null, compared = [], opener = null, coming = null;

  function load() {
    return new Promise((done, failed) => {
      const script = document.createElement("script");
      Object.assign(script, { src: `${here}/deck.js`, integrity: "__DECK__" });
      script.addEventListener("load", done);
      script.addEventListener("error", () => { coming = null; failed(); });
      document.head.append(script);
    });
  }

  async function open() {
    opener = document.activeElement;
    coming ??= load();
    try { await coming; } catch {
      document.querySelector("header div").append(said);
      // the link may have ended
      ask(tiles[0]);
      return;
    }
    said.remove();
    if (document.querySelector("dialog[open]")) return;
    begun();
    dialog.showModal();
    history.pushState({ room: true }, "");
    deck ??= build();
    compared = tiles.length > most ? tiles.slice(0, 2) : [...tiles];
    show();
    if (plays()) deck.sync.play();
    dialog.querySelector("[data-do=play]").focus();
  }

  function build() {
    dialog.append(stage, words, others);
    const made = newDeck(stage, { did: (what, of) => {
      if (what === "close") dialog.close();
      else if (what === "add") put(tiles.findIndex((tile) => !compared.includes(tile)), compared.length);
      else if (what === "remove") {
        compared = compared.filter((tile) => tile.dataset.clip !== of.id);
        show();
      }
    } });
    made.link.hidden = true; // the page has its own address
    return made;
  }

  function put(index, place) {
    const tile = tiles[index], there = compared.indexOf(tile);
    if (!tile || there === place) return;
    if (there >= 0) compared[there] = compared[place];
    compared[place] = tile;
    show();
  }

  async function differ() { // which words of the prompts differ: the server compares them
    const ids = compared.map(({ dataset }) => dataset.clip).join();
    words.replaceChildren();
    if (compared.length < 2 || !compared.some(({ dataset }) => dataset.said)) return;
    try {
      const answer = await fetch(`${here}/differs?ids=${ids}`);
      const rows = answer.ok ? promptRows(await answer.json(), compared.length) : [];
      if (ids === compared.map(({ dataset }) => dataset.clip).join()) words.replaceChildren(...rows);
    } catch { /* the clips are compared without */ }
  }

  function show() {
    deck.show(compared.map(told));
    compared.forEach(ask);
    differ();
    deck.add.hidden = compared.length === tiles.length;
    others.hidden = deck.add.hidden && tiles.length <= most;
    others.replaceChildren(...tiles.map((tile, index) => {
      const letter = LETTERS[compared.indexOf(tile)], name = tile.getAttribute("aria-label");
      const button = make("button", { type: "button", "aria-label": letter ? `${name}, ${letter}` : name },
        make("img", { alt: "", loading: "lazy", src: told(tile).poster }), letter && make("b", { class: "deck-letter", "data-letter": letter, text: letter }));
      button.addEventListener("click", () => put(index, deck.last));
      return button;
    }));
  }

  // Not the dialog: what had the focus may be disabled by now.
  addEventListener("keydown", (event) => { if (dialog.open && event.key !== "Escape") deck.keyed(event); });
  dialog.addEventListener("close", () => {
    deck.sync.pause();
    if (history.state?.room) history.back();
    opener?.focus();
    ended();
  });
  return { dialog, open };
}
