// How the pictures of a shared page stand: in rows that fill the width; one alone as large as fits.
function newRows(wall, tiles, ratio) {
  // pixels: heights of a row; what stands around one clip
  const AIM = 262, MOST = 420, GAP = 8, MARGINS = 112;
  const phone = matchMedia("(max-width: 640px)");

  function layOut() {
    const width = wall.clientWidth;
    if (phone.matches) {
      for (const tile of tiles) tile.parentNode.removeAttribute("style");
      return;
    }
    if (tiles.length === 1) {
      const others = [...document.querySelectorAll("header, footer")].reduce((sum, each) => sum + each.offsetHeight, 0);
      const most = Math.max(innerHeight - others - MARGINS, 200);
      size(tiles[0], Math.min(width, most * ratio(tiles[0])), Math.min(most, width / ratio(tiles[0])));
      return;
    }
    const wanted = (tiles.reduce((sum, tile) => sum + ratio(tile), 0) * AIM) / width;
    const ways = [...new Set([Math.floor(wanted), Math.ceil(wanted)])].filter(Boolean).map((count) => inRows(count, width));
    const off = (rows) => Math.max(...rows.map(([, high]) => (high < AIM ? 1.5 * Math.log(AIM / high) : Math.log(high / AIM))));
    for (const [row, high] of ways.sort((one, other) => off(one) - off(other))[0]) {
      for (const tile of row) size(tile, Math.floor(Math.min(high, MOST) * ratio(tile) * 100) / 100, Math.min(high, MOST));
    }
  }

  // a row ends where it is nearest to its part of the whole
  function inRows(count, width) {
    const total = tiles.reduce((sum, tile) => sum + ratio(tile), 0), rows = [];
    let row = [], sum = 0, before = 0;
    for (const [index, tile] of tiles.entries()) {
      row.push(tile);
      sum += ratio(tile);
      const next = tiles[index + 1], edge = (total * (rows.length + 1)) / count;
      if (!next || Math.abs(sum - edge) <= Math.abs(sum + ratio(next) - edge)) {
        rows.push([row, (width - GAP * (row.length - 1)) / (sum - before)]);
        row = [];
        before = sum;
      }
    }
    return rows;
  }

  function size(tile, wide, high) {
    Object.assign(tile.parentNode.style, { width: `${wide}px`, height: `${high}px` });
  }

  return layOut;
}
