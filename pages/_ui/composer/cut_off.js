// What somebody types and presses while the server does not answer. Streamlit disables all fields until it is connected
// again, which takes the focus away.
const TYPED = ".st-key-column :is(textarea, [type=text]:not([role=combobox]))";
const left = new Set(); // fields that Streamlit has yet to hear were left: they would show what the server had before
function keepFields() {
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      if (!target.matches(TYPED) || !studioIsAway()) continue;
      target.disabled = false;
      if (target === document.activeElement) tell(target);
    }
  }).observe(document.body, { subtree: true, attributeFilter: ["disabled"] });
  addEventListener("input", ({ target }) => {
    if (target.matches(TYPED) && studioIsAway()) setTimeout(tell, 0, target); // React takes it first
  }, true);
  addEventListener("focusout", (event) => {
    if (!event.isTrusted || !event.target.matches(TYPED) || !studioIsAway()) return;
    event.stopImmediatePropagation();
    left.add(event.target);
  }, true);
}
// Streamlit is told that a field was left; focus and caret stay. What it cannot send now goes with its first message
// to a server that is back: an older text there would count as a change.
function tell(field) {
  for (const name of ["focusout", "focusin"]) field.dispatchEvent(new FocusEvent(name, { bubbles: true }));
  if (studioIsAway()) hold(field);
}
// A text that was not stored: to Streamlit it is being typed, so that no older one of the server takes its place.
function hold(field) {
  if (!field) return;
  field._valueTracker?.setValue("\0"); // React's: with another text there it takes the event for a change
  field.dispatchEvent(new Event("change", { bubbles: true }));
  left.add(field);
}
function tellLeft() {
  if (studioIsAway()) return;
  for (const field of left) {
    if (field !== document.activeElement) field.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
  }
  left.clear();
}

// A press that orders: its button says so until the server has answered, and takes no other one meanwhile.
const ORDER = '[class*="st-key-composer-generate-"] button', ORDERS = ORDER + ", .st-key-composer-confirm_order button";
const LOST = "Your last press may not have arrived: the log has no new order of yours. " +
  "Look at the stage or in History before you press again.";
const SOON = 3000, NEVER = 90_000; // milliseconds of a server that answers, after it was busy or away, and without that
const answered = () => document.querySelector("[data-pressed]")?.dataset ?? {};
let pressed = null;
function takePress(button) {
  if (button?.ariaBusy === "true") return false;
  if (!button || button.disabled) return true;
  tellLeft();
  clearInterval(pressed?.timer);
  pressed = { button, ...answered(), at: Date.now(), patience: NEVER, timer: setInterval(watchPress, 100) };
  button.ariaBusy = "true";
  autosave().say("press", "");
  return true;
}
function watchPress() {
  const now = answered(), isDone = Number(now.pressed) > Number(pressed.pressed);
  const isBusy = studioIsAway() || document.querySelector("[data-test-script-state=running]");
  if (isBusy) Object.assign(pressed, { at: Date.now(), patience: SOON });
  if (!isDone && Date.now() - pressed.at < pressed.patience) return;
  clearInterval(pressed.timer);
  pressed.button.ariaBusy = null;
  if (!isDone && now.newest === pressed.newest) autosave().say("press", LOST);
}
