// How pictures are divided into rows, as wide as the wall and nearly of one height.
const GAP = 8, SHORT = 0.6, TALLEST = 1.9; // pixels; part of a row that is left as it is; of the height that is asked for
const AIMS = { S: 120, M: 184, L: 260 }, AIM_TABLET = 140, AIM_PHONE = 150; // pixels

const widthAt = (high, ratios) => ratios.reduce((sum, ratio) => sum + ratio * high, GAP * (ratios.length - 1));

// Return where rows end, as the numbers of pictures in each: of all divisions the one whose heights are nearest to `aim`.
function divide(ratios, width, aim) {
  if (!ratios.length) return [];
  if (widthAt(aim, ratios) < SHORT * width) return [ratios.length];
  const best = [0], from = [0];
  for (let stop = 1; stop <= ratios.length; stop += 1) {
    let sum = 0;
    best[stop] = Infinity;
    for (let start = stop - 1; start >= 0; start -= 1) {
      sum += ratios[start];
      const high = (width - GAP * (stop - start - 1)) / sum, off = Math.log(Math.max(high, 1) / aim);
      const cost = best[start] + off * off;
      if (cost < best[stop]) { best[stop] = cost; from[stop] = start; }
      if (high < aim / 3) break;
    }
  }
  const counts = [];
  for (let stop = ratios.length; stop > 0; stop = from[stop]) counts.unshift(stop - from[stop]);
  return counts;
}

// Return rows of ids. Those of before stay as they are where nothing has changed, but for one beside each change, which may
// take some of it; a row with a clip in `held` is not touched.
function regroup(ids, before, ratioOf, width, aim, held) {
  const place = new Map(ids.map((id, at) => [id, at]));
  const whole = (row) => row.every((id, at) => place.get(id) === place.get(row[0]) + at && place.has(id));
  const parts = []; // {ids, isRow}
  let at = 0;
  const loose = (stop) => { if (stop > at) parts.push({ ids: ids.slice(at, stop), isRow: false }); at = stop; };
  for (const row of before) {
    if (!whole(row) || place.get(row[0]) < at || (before.length > 1 && widthAt(aim, row.map(ratioOf)) < SHORT * width)) continue;
    loose(place.get(row[0]));
    parts.push({ ids: row, isRow: true });
    at += row.length;
  }
  loose(ids.length);
  const free = (part) => part?.isRow && !part.ids.some((id) => held.has(id));
  for (let index = 0; index < parts.length; index += 1) {
    if (parts[index].isRow) continue;
    for (const side of [index + 1, index - 1]) if (free(parts[side])) parts[side] = { ...parts[side], isRow: false };
    if (parts[index - 1] && !parts[index - 1].isRow) index += 1;
  }
  const rows = [];
  let open = [];
  const close = () => {
    let start = 0;
    for (const count of divide(open.map(ratioOf), width, aim)) rows.push(open.slice(start, start += count));
    open = [];
  };
  for (const part of parts) if (part.isRow) { close(); rows.push(part.ids); } else open.push(...part.ids);
  close();
  return rows;
}

// Return the places of pictures, and the height of all: [[id, left, top, width, height, row]…]. Heights are whole pixels:
// a page scrolls by whole ones, so what one looks at could not be held in its place when rows come above it.
function placed(rows, ratioOf, width, aim) {
  const places = [];
  let top = 0;
  rows.forEach((row, number) => {
    const ratios = row.map(ratioOf), sum = ratios.reduce((all, ratio) => all + ratio, 0);
    const isShort = widthAt(aim, ratios) < SHORT * width;
    const high = isShort ? aim : Math.min((width - GAP * (row.length - 1)) / sum, TALLEST * aim);
    const tall = Math.round(high);
    let left = 0;
    row.forEach((id, index) => {
      const wide = ratios[index] * high;
      places.push([id, left, top, wide, tall, number]);
      left += wide + GAP;
    });
    top += tall + GAP;
  });
  return [places, Math.max(top - GAP, 0)];
}
