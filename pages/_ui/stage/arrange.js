// How the tiles of the stage are arranged.

// As many columns as make the tiles largest; upright ones stand in one row, and words beside them if
// that makes them larger. Three in two rows leave a place free: the words stand there.
function arrange(jobs, { root, body, box }) {
  if (!jobs.length) return;
  const count = jobs.length, failed = count === 1 && ["failed", "ended"].includes(jobs[0].look), ratio = failed ? 16 / 9 : ratioOf(jobs[0]);
  const room = body.clientWidth || 900, isWide = innerWidth > 1100, given = body.closest(".st-key-stage").clientHeight, isShort = !isWide || given < 820;
  const high = isWide ? given - 32 - (isShort ? 86 : 172) : innerHeight * 0.55;
  const fit = (wide, tall, gap) => {
    let best = { columns: 1, size: 0 };
    for (let columns = 1; columns <= count; columns += 1) {
      const rows = Math.ceil(count / columns);
      const size = Math.min((wide - gap * (columns - 1)) / columns, ratio * (tall - gap * (rows - 1)) / rows);
      if (size > best.size + 0.5 || (ratio < 0.9 && columns === count && count <= 4)) best = { columns, size };
    }
    return best;
  };
  const under = fit(room, isWide ? high - 60 : high, 8), beside = fit(room - 212, high, 24);
  const side = PHONE.matches ? null : ratio < 1.1 && beside.size >= under.size ? "right"
    : count === 3 && under.columns === 2 && under.size >= 340 ? "hole" : null;
  const { columns } = side === "right" ? beside : under;
  // Also on the body: a style that asks with :has() costs 40 ms in each run of the page.
  set(body, { "data-side": side, "data-short": isShort ? "" : null });
  set(box, { "data-several": count > 1 ? "yes" : null });
  root.style.setProperty("--mini-wide", `${Math.round(Math.min(100, 56 * (count > 1 ? 16 / 9 : ratio)))}px`);
  const sizes = { "--ratio": ratio, "--columns": columns, "--rows": Math.ceil(count / columns), "--gap": side === "right" ? "24px" : "8px" };
  for (const [name, value] of Object.entries(sizes)) body.style.setProperty(name, value);
}
