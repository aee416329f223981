// Fingers on the rows of History: a long press selects, a swipe to the left shows star and hide.
const LONG_PRESS = 500, SWIPE = 128; // milliseconds; pixels

function newFingers(list, body) {
  const touch = { row: null, x: 0, y: 0, timer: null, quiet: false, moves: false };
  function shut(but) { list.order().forEach((row) => { if (row.swiped && row !== but) { row.swiped = false; row.root.style.removeProperty("--swipe"); } }); }
  function down({ touches, target }) {
    touch.row = touches.length === 1 ? list.rows.get(target.closest?.(".lib-row")?.dataset.job) : null;
    clearTimeout(touch.timer);
    shut(touch.row);
    if (!touch.row) return;
    Object.assign(touch, { x: touches[0].clientX, y: touches[0].clientY, moves: false });
    touch.timer = setTimeout(() => {
      if (!touch.row) return;
      list.toggle(touch.row);
      touch.quiet = true;
      navigator.vibrate?.(10);
      touch.row = null;
    }, LONG_PRESS);
  }
  function moved(event) {
    const [{ clientX, clientY }] = event.touches, x = clientX - touch.x, y = clientY - touch.y;
    if (!touch.row || (Math.abs(x) < 8 && Math.abs(y) < 8)) return;
    clearTimeout(touch.timer);
    if (!touch.moves && (!finger(event) || Math.abs(y) > Math.abs(x))) { touch.row = null; return; }
    touch.moves = true;
    if (PHONE.matches) touch.row.root.style.setProperty("--swipe", `${Math.max(-SWIPE, Math.min(0, x - (touch.row.swiped ? SWIPE : 0)))}px`);
  }
  function up({ changedTouches: [{ clientX }] }) {
    const { row, moves } = touch;
    clearTimeout(touch.timer);
    touch.row = null;
    if (!row || !moves) return;
    touch.quiet = true;
    row.swiped = PHONE.matches && clientX - touch.x < (row.swiped ? SWIPE / 2 : -SWIPE / 2);
    if (row.swiped) row.root.style.setProperty("--swipe", `-${SWIPE}px`); else row.root.style.removeProperty("--swipe");
  }
  body.addEventListener("touchstart", down, { passive: true });
  body.addEventListener("touchmove", moved, { passive: true });
  body.addEventListener("touchend", up, { passive: true });
  body.addEventListener("contextmenu", (event) => { if (touch.quiet || touch.row) event.preventDefault(); });
  body.addEventListener("pointerdown", () => { touch.quiet = false; });
  return { shut, get isQuiet() { return touch.quiet; } }; // quiet: the press that comes next ends a swipe or a long press
}
