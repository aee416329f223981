// What is pressed goes to Python as a trigger, and another trigger of the same moment takes its place. So all that is
// not answered yet is sent, numbered, and again until an element of the page (`data-did`) says that it was done. A tab
// has one sender: what was pressed on a page that is left goes with the lightbox, which every page has.
function newSender() {
  const REPEAT = 1500, LONGER = 1.5, MOST = 6; // milliseconds before the second try, by how much each is later, tries
  const tab = Math.random().toString(36).slice(2), waiting = [], triggers = new Map();
  const note = set(make("div", "studio-lost"), { role: "alert", popover: "manual" });
  const watcher = new MutationObserver(read);
  let number = 0, timer = 0, tries = 0, by = "";

  // Let a part of the page carry what is pressed; returns what ends that.
  function mount(name, trigger) {
    triggers.set(name, trigger);
    return () => { if (triggers.get(name) === trigger) triggers.delete(name); };
  }

  function send(name, what, ids, value = null) {
    by = name;
    waiting.push({ n: number += 1, what, ids, value });
    watcher.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-did"] });
    tries = 0;
    push();
  }

  function push() {
    clearTimeout(timer);
    if (tries >= MOST) { lose(); return; }
    (triggers.get(by) ?? triggers.get("viewer"))?.("did", { tab, acts: [...waiting], at: Date.now() });
    timer = setTimeout(push, REPEAT * LONGER ** tries);
    tries += 1;
  }

  function lose() {
    waiting.length = 0;
    watcher.disconnect();
    if (!note.isConnected) document.body.append(note);
    note.showPopover();
    set(note, { text: "Not saved: the studio does not answer. Press again in a moment." });
    setTimeout(() => note.hidePopover(), 10_000);
    document.dispatchEvent(new CustomEvent("studio:lost")); // whoever has shown it as done shows what is so
  }

  // Take what the page says: `<tab> <number of the last press that was done>`.
  function read() {
    for (const { dataset } of document.querySelectorAll("[data-did]")) {
      const [whose, last] = dataset.did.split(" ");
      while (whose === tab && waiting.length && waiting[0].n <= Number(last)) { waiting.shift(); tries = 0; }
    }
    if (waiting.length) return;
    clearTimeout(timer);
    watcher.disconnect();
  }

  const of = (id) => waiting.filter(({ ids }) => ids.includes(id)); // not done yet
  return { mount, send, read, of, waiting };
}

const sender = window.__studioSender ??= newSender();
