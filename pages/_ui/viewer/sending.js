// What is pressed in the lightbox goes to Python as a trigger. One that is lost, because another trigger of the same
// moment took its place, is sent again until the hidden element says that it was done.
function newSender() {
  const REPEAT = 1500, MOST = 20; // milliseconds; tries
  const tab = Math.random().toString(36).slice(2), waiting = [];
  let number = 0, timer = 0, tries = 0;
  const sender = { trigger: null, send, done, of, onLost: () => {} };

  function send(what, ids, value = null) {
    number += 1;
    waiting.push({ n: number, what, ids, value });
    tries = 0;
    push();
  }

  function push() {
    clearTimeout(timer);
    if (!waiting.length) return;
    if (tries >= MOST) {
      const lost = waiting.splice(0);
      sender.onLost(lost);
      return;
    }
    sender.trigger?.("did", { tab, acts: [...waiting], at: Date.now() });
    tries += 1;
    timer = setTimeout(push, REPEAT);
  }

  // Take what the page says: `<tab> <number of the last act that was done>`.
  function done(words) {
    const [whose, last] = (words ?? "").split(" ");
    if (whose !== tab) return;
    while (waiting.length && waiting[0].n <= Number(last)) waiting.shift();
    if (!waiting.length) clearTimeout(timer);
  }

  function of(id) { return waiting.filter(({ ids }) => ids.includes(id)); } // not done yet
  return sender;
}
