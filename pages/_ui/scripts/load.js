// Loads a script of a component. A browser may keep that it did not come, so another address asks for it again.
window.studioLoad = async (path) => {
  for (let tries = 0; ; tries += 1) {
    try { return await import(tries ? `${path}?${tries}` : path); } catch (error) { if (tries === 4) throw error; }
    await new Promise((go) => setTimeout(go, 250 * 2 ** tries));
  }
};

// After Back or Forward nobody has asked for another address until something is pressed. What Streamlit 1.67 still
// changes is an answer to an address of before: it would take the place of one that somebody left, or end the way
// Forward. Its answers do not say to which run they belong (github.com/streamlit/streamlit/pull/16998).
{
  let isWalking = false;
  addEventListener("popstate", ({ isTrusted }) => { isWalking ||= isTrusted; }, true);
  for (const press of ["pointerdown", "keydown", "click"]) addEventListener(press, () => { isWalking = false; }, true);
  for (const name of ["pushState", "replaceState"]) {
    const change = history[name];
    history[name] = (state, title, to) => {
      const isOurs = typeof to !== "string" || Object.keys(state ?? { none: 0 }).length > 0; // Streamlit's state is {}
      if (isOurs || !isWalking) change.call(history, state, title, to);
    };
  }
}

// Whether the server does not answer. Letters that are no shortcuts (frame/bar.js) reach no handler of keys: this one
// is the first of the page.
window.studioIsAway = () => !!document.querySelector(
  "[data-studio-away], [data-test-connection-state]:not([data-test-connection-state=CONNECTED])");
addEventListener("keydown", (event) => { if (window.studioIsTyped?.(event)) event.stopImmediatePropagation(); }, true);
