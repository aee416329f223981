// What is said once in a browser, whether it was read or put away: hints of the keys.
const HINTS = {
  made: "You can write the next one meanwhile: it lines up beside this one.",
  done: "Space plays and stops, F fills the screen, R takes this clip back into the form.",
  strip: "J and K move along the clips, Enter puts one here.",
};

function newHints() {
  const root = make("div", "stage-hint"), words = make("span");
  let shown = "";
  root.append(words, button("stage-button", "Do not show this again", "close", () => { root.hidden = true; }));
  root.hidden = true;

  function known() {
    try { return (localStorage.getItem("studio-hints") ?? "").split(" ").filter((each) => each in HINTS); } catch { return Object.keys(HINTS); }
  }

  function update(jobs, hasStrip) {
    if (PHONE.matches) return; // they tell of keys
    const looks = new Set(jobs.map(({ look }) => look));
    const next = looks.has("made") ? "made" : looks.has("done") ? (hasStrip && known().includes("done") ? "strip" : "done") : "";
    if (next && next === shown) return;
    root.hidden = true;
    if (!next || known().includes(next)) return;
    shown = next;
    try { localStorage.setItem("studio-hints", [...known(), next].join(" ")); } catch { return; } // else it would come again
    set(words, { text: HINTS[next] });
    root.hidden = false;
  }

  return { root, update };
}
