// The keyboard: one stop of Tab for the whole wall, arrows in two dimensions. And fingers: a long press selects.
const LONG_PRESS = 500; // milliseconds

function newKeys(wall) {
  const OTHERS = 'dialog[open], [role="dialog"], [data-testid="stPopoverBody"], .lib-menu:popover-open';

  // The picture in the next row, up or down, that is nearest to where this one has its middle.
  function beyond(tile, by) {
    const { top, left, width } = tile.root.getBoundingClientRect(), middle = left + width / 2;
    const at = wall.order.indexOf(tile.id);
    let best = null, row = null, off = Infinity;
    for (let index = at + by; index >= 0 && index < wall.order.length; index += by) {
      const each = wall.tiles.get(wall.order[index]), box = each.root.getBoundingClientRect();
      if (Math.abs(box.top - top) < 1) continue;
      row ??= box.top;
      if (Math.abs(box.top - row) >= 1) break;
      const distance = Math.abs(box.left + box.width / 2 - middle);
      if (distance < off) { best = each; off = distance; }
    }
    return best;
  }

  function next(tile, key) {
    const at = wall.order.indexOf(tile.id), other = (index) => wall.tiles.get(wall.order[Math.max(0, Math.min(wall.order.length - 1, index))]);
    return { ArrowLeft: () => other(at - 1), ArrowRight: () => other(at + 1), ArrowUp: () => beyond(tile, -1), ArrowDown: () => beyond(tile, 1),
      Home: () => other(0), End: () => other(Infinity) }[key]?.() ?? null;
  }

  function keyed(event) {
    const { key } = event, at = event.target instanceof Element ? event.target : document.body;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || !wall.facts || document.querySelector(OTHERS)) return;
    if (at.matches("textarea, select, input, [contenteditable=true], [role=combobox]")) return;
    const tile = wall.tiles.get(at.closest(".wall-tile")?.dataset.clip);
    let act = null;
    if (tile && event.altKey) {
      const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[key];
      act = wall.facts.can_order && by && (() => wall.moving.step(tile, by));
    } else if (tile || (wall.chosen.size && (at === document.body || wall.root.contains(at)))) { // the latter after a dialog
      const name = key.length === 1 ? key.toLowerCase() : key, some = wall.chosen.size ? wall.choice.ids() : [tile.id];
      act = {
        s: wall.can("star") && (() => wall.star(some)), c: () => wall.choice.compare(tile), h: wall.can("hide") && (() => wall.hide(some)),
        x: tile && (() => wall.toggle(tile)), ContextMenu: tile && (() => wall.menu(tile, tile.open)),
        F10: tile && event.shiftKey && (() => wall.menu(tile, tile.open)),
      }[name];
      if (tile && /^(Arrow|Home|End)/.test(key)) act = () => {
        const to = next(tile, key);
        if (to && event.shiftKey) wall.choice.extend(tile, to);
        if (to) wall.focus(to);
      };
    }
    if (key === "Escape" && wall.chosen.size) act = () => { wall.choice.clear(); wall.focus(); };
    if (!act) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    act();
  }

  const touch = { tile: null, x: 0, y: 0, timer: null, isQuiet: false };
  const under = (target) => wall.tiles.get(target.closest?.(".wall-tile")?.dataset.clip);
  wall.root.addEventListener("touchstart", ({ touches, target }) => {
    clearTimeout(touch.timer);
    touch.isQuiet = false;
    touch.tile = touches.length === 1 ? under(target) : null;
    if (!touch.tile) return;
    Object.assign(touch, { x: touches[0].clientX, y: touches[0].clientY });
    touch.timer = setTimeout(() => {
      if (!touch.tile) return;
      touch.isQuiet = true;
      wall.toggle(touch.tile);
      navigator.vibrate?.(10);
    }, LONG_PRESS);
  }, { passive: true });
  wall.root.addEventListener("touchmove", ({ touches: [{ clientX, clientY }] }) => {
    if (Math.hypot(clientX - touch.x, clientY - touch.y) > 8) { clearTimeout(touch.timer); touch.tile = null; }
  }, { passive: true });
  for (const name of ["touchend", "touchcancel"]) wall.root.addEventListener(name, () => clearTimeout(touch.timer), { passive: true });
  wall.root.addEventListener("contextmenu", (event) => { if (touch.tile || touch.isQuiet) event.preventDefault(); });

  wall.root.addEventListener("click", (event) => {
    const tile = under(event.target);
    if (!tile || event.target.closest(".wall-over button")) return;
    if (touch.isQuiet) { touch.isQuiet = false; return; } // it ends a long press
    const isFinger = matchMedia("(hover: none)").matches;
    if (event.shiftKey && wall.chosen.size) wall.toggle(tile, true);
    else if (isFinger && wall.chosen.size) wall.toggle(tile);
    else if (event.ctrlKey || event.metaKey) open(`${location.origin}${BASE}/gallery?clip=${encodeURIComponent(tile.id)}`, "_blank");
    else wall.open(tile);
  });
  return keyed;
}
