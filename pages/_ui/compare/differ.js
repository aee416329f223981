// Rows that show which words of the prompts of clips differ; Python has compared them. Needs elements.js.
// prompts: `{name, letter, pieces: [[kind, text]…]}` of each row; count: of the clips.
function promptRows(prompts, count) {
  return prompts.map(({ name, letter, pieces }) => {
    const line = make("p", { dir: "auto" });
    let before = "same";
    for (const [kind, piece] of pieces) {
      const isGone = kind === "removed", words = piece.trim();
      if (kind === "same") line.append(piece);
      else line.append(before !== "same" || /^\s/.test(piece) ? " " : "", make(isGone ? "del" : "ins", { text: words || "line break", "data-letter": isGone ? "A" : letter }), words && /\s$/.test(piece) ? " " : "");
      before = kind;
    }
    if (!pieces.length) line.append(make("small", { text: "The same words." }));
    else if (!letter && count > 1) line.append(" ", make("small", { text: "(the same)" }));
    return differRow(name, line);
  });
}

function differRow(name, line) { return make("div", { class: "deck-row" }, make("h2", { text: name }), line); }
