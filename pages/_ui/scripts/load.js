// Loads a script of a component. A browser may keep that it did not come, so another address asks for it again.
window.studioLoad = async (path) => {
  for (let tries = 0; ; tries += 1) {
    try { return await import(tries ? `${path}?${tries}` : path); } catch (error) { if (tries === 4) throw error; }
    await new Promise((go) => setTimeout(go, 250 * 2 ** tries));
  }
};
