// Fingers: sideways to the next clip, down to close, and the sheet of a phone up and down.
function newFingers(room, but, panel, step, close) {
  let from = null, pull = null;
  visualViewport.addEventListener("resize", () => { room.style.touchAction = isZoomed() ? "auto" : ""; }); // one moves it
  room.addEventListener("touchstart", (event) => {
    from = but.some((each) => each.contains(event.target)) ? null : finger(event);
  }, { passive: true });
  room.addEventListener("touchend", ({ changedTouches: [touch] }) => {
    if (!from) return;
    const x = touch.clientX - from.clientX, y = touch.clientY - from.clientY;
    from = null;
    if (Math.abs(x) > 50 && Math.abs(x) > 2 * Math.abs(y)) step(x < 0 ? 1 : -1);
    else if (y > 80 && y > 2 * Math.abs(x)) close();
  }, { passive: true });

  panel.root.addEventListener("touchstart", (event) => { pull = PHONE.matches ? finger(event) : null; }, { passive: true });
  panel.root.addEventListener("touchend", ({ changedTouches: [touch] }) => {
    const y = pull ? touch.clientY - pull.clientY : 0, isUp = panel.root.hasAttribute("data-up");
    if (y < -40 && !isUp) panel.draw(true);
    else if (y > 60 && isUp && panel.inner.scrollTop <= 0) panel.draw(false);
  }, { passive: true });
}
