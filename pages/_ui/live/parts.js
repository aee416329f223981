// When a live part asks the server to draw it again.
//
// The element [data-live] of a part says at which version it was drawn, and which names it shows (data-live-jobs).
// It is behind if one of them has changed since. A run that is lost is asked for again, because it stays behind.

const EVERY_JOB = "*";
const isJob = (name) => !name.startsWith(":");

// Return when a part is due, Infinity if nothing that it shows has changed since it was drawn, and whether anything may
// have changed. What is news for all tabs is drawn by them one after the other.
function behind({ hub, last, luck }, { dataset: { version, liveJobs } }) {
  const drawn = Number(version), shown = liveJobs.split(" ");
  const forAll = TIMES.per_tab * hub.tabs, later = forAll * TIMES.spread * luck;
  const pause = Math.max(TIMES.every, forAll) * (1 + TIMES.spread * luck);
  const isList = shown.includes(EVERY_JOB);
  const listed = isList ? TIMES.listed_per_tab * hub.tabs : 0;
  const found = { due: Infinity, isUnknown: false };
  const note = (due) => { found.due = Math.min(found.due, due); };
  if (drawn < hub.forgotten) note(last + TIMES.own);
  for (let index = hub.news.length - 1; index >= 0 && hub.news[index].version > drawn; index -= 1) {
    const { names, at } = hub.news[index];
    if (!names) found.isUnknown = true;
    const named = names && shown.filter((name) => names.has(name));
    if (named?.some(isJob)) note(Math.max(last + Math.max(TIMES.own, listed), at + listed * luck));
    else if (!names) note(Math.max(last + TIMES.own, at + later));
    else if (named.length) note(Math.max(last + Math.max(TIMES.own, forAll), at + later));
    else if (isList && [...names].some(isJob)) note(Math.max(last + pause, at + later));
  }
  return found;
}

// Whether a hidden tab has to ask all the same: nobody told it what became of a job that it counts the time of.
function isWaitedFor(hub, mark) {
  return mark.dataset.liveJobs.split(" ").some((id) => MADE.includes(hub.own.get(id)?.state));
}

class Part {
  constructor(hub, key, ask) {
    Object.assign(this, { hub, key, ask, timer: null, due: Infinity, since: 0, tried: 0, isGone: false });
    this.last = Date.now(); // when it was last asked for; it has just been drawn
    this.luck = Math.random();
    hub.parts.add(this);
    this.plan();
  }

  end() {
    this.isGone = true;
    clearTimeout(this.timer);
    this.hub.parts.delete(this);
  }

  // Return when it should be asked for; Infinity if there is no need.
  when() {
    const { hub, last, luck } = this, mark = document.querySelector(`[data-live="${this.key}"]`);
    if (!mark) return Infinity;
    const { due, isUnknown } = behind(this, mark), isBehind = due < Infinity;
    if (!isBehind) this.tried = 0;
    if (document.hidden && !(isUnknown && isWaitedFor(hub, mark))) return Infinity;
    if (isBehind) return this.tried ? last + Math.min(TIMES.again * 2 ** (this.tried - 1), TIMES.longest_again) : due;
    const spread = 1 + TIMES.spread * luck;
    if (!hub.isOpen) return Math.max(last, hub.closedAt) + TIMES.old_without_socket * spread;
    return "liveAges" in mark.dataset ? last + TIMES.old * spread : Infinity;
  }

  plan() {
    const due = Math.max(this.when(), Date.now() + TIMES.soon);
    if (due === Infinity) {
      clearTimeout(this.timer);
      this.due = Infinity;
    } else if (due < this.due || this.due < Date.now() - 1000) { // the second: it was put off while the tab was asleep
      this.wait(due);
    }
  }

  wait(due) {
    clearTimeout(this.timer);
    this.due = due;
    this.timer = setTimeout(() => this.check(), due - Date.now());
  }

  check() {
    const { hub } = this, now = Date.now(), due = this.when();
    this.due = Infinity;
    if (due > now) {
      this.since = 0;
      return this.plan();
    }
    this.since ||= now; // it waits for its turn since then
    const busy = document.querySelector(APP)?.dataset.testScriptState === "running" && this.tried;
    const calm = Math.max(busy ? now + TIMES.own : 0, hub.touched + TIMES.calm, hub.turn);
    if (calm > now && now < this.since + TIMES.longest_wait) return this.wait(calm);
    if (hub.touched + TIMES.typed > now) return this.wait(hub.touched + TIMES.typed);
    Object.assign(this, { last: now, since: 0, tried: this.tried + 1, luck: Math.random() });
    hub.turn = now + TIMES.apart;
    const run = document.querySelector("[data-run]")?.dataset.run ?? "";
    const ask = () => this.isGone || this.ask({ run, at: hub.version });
    // A page that is busy for long, as beside others on a slow machine, may have no idle moment at all.
    if (window.requestIdleCallback) requestIdleCallback(ask, { timeout: TIMES.own });
    else setTimeout(ask);
    this.plan();
  }
}

export default function ({ parentElement, setTriggerValue }) {
  // The key that Python gave to this mount, `live.{key}`, is a class of an element around it.
  const around = (parentElement.getRootNode().host ?? parentElement).closest('[class*="st-key-live-"]');
  const key = around?.className.match(/st-key-live-(\S+)/)?.[1];
  const part = new Part(hub(), key, (value) => setTriggerValue("changed", value));
  return () => part.end();
}
