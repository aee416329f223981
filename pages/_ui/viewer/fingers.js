// Fingers: sideways to the next clip, down to close, and the sheet of a phone up and down.
function newFingers(room, but, panel, step, close) {
  let from = null, pull = null;
  room.addEventListener("touchstart", ({ touches: [touch, other], target }) => {
    from = other || but.some((each) => each.contains(target)) ? null : [touch.clientX, touch.clientY];
  }, { passive: true });
  room.addEventListener("touchend", ({ changedTouches: [touch] }) => {
    if (!from) return;
    const x = touch.clientX - from[0], y = touch.clientY - from[1];
    from = null;
    if (Math.abs(x) > 50 && Math.abs(x) > 2 * Math.abs(y)) step(x < 0 ? 1 : -1);
    else if (y > 80 && y > 2 * Math.abs(x)) close();
  }, { passive: true });

  panel.root.addEventListener("touchstart", ({ touches: [touch] }) => { pull = PHONE.matches ? touch.clientY : null; }, { passive: true });
  panel.root.addEventListener("touchend", ({ changedTouches: [touch] }) => {
    const y = pull === null ? 0 : touch.clientY - pull, isUp = panel.root.hasAttribute("data-up");
    if (y < -40 && !isUp) panel.draw(true);
    else if (y > 60 && isUp && panel.inner.scrollTop <= 0) panel.draw(false);
  }, { passive: true });
}
