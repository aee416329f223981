// When a live part asks the server to draw it again.
//
// The element [data-live] of a part says at which version it was drawn, and which names it shows (data-live-jobs).
// It is behind if one of them has changed since. A run that is lost is asked for again, because it stays behind.

const EVERY_JOB = "*";
const isJob = (name) => !name.startsWith(":");

// Return why a part is behind: "own" for what it names, "every" for a job among everybody's, "unknown", or "" if it is
// not; and since when.
function behind(hub, { dataset: { version, liveJobs } }) {
  const drawn = Number(version), shown = liveJobs.split(" ");
  let reason = drawn < hub.forgotten ? "unknown" : "", since = Date.now();
  for (let index = hub.news.length - 1; index >= 0 && hub.news[index].version > drawn; index -= 1) {
    const { names, at } = hub.news[index];
    const found = !names ? "unknown" : shown.some((name) => names.has(name)) ? "own"
      : shown.includes(EVERY_JOB) && [...names].some(isJob) ? "every" : "";
    if (!found) continue;
    since = at;
    if (reason !== "unknown" && (reason !== "own" || found === "unknown")) reason = found;
  }
  return { reason, since };
}

// Whether a hidden tab has to ask all the same: nobody told it what became of a job that it counts the time of.
function isWaitedFor(hub, mark, reason) {
  return reason === "unknown" && mark.dataset.liveJobs.split(" ").some((id) => MADE.includes(hub.own.get(id)?.state));
}

// Return when a part that shows everybody's jobs is drawn again: not too soon after the last time, and not in all tabs at
// the same moment.
function turnOf({ hub, last, luck }, since) {
  const forAll = TIMES.per_tab * hub.tabs, pause = Math.max(TIMES.every, forAll);
  return Math.max(last + pause * (1 + TIMES.spread * luck), since + forAll * TIMES.spread * luck);
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
    const { reason, since } = behind(hub, mark);
    if (!reason) this.tried = 0;
    if (document.hidden && !isWaitedFor(hub, mark, reason)) return Infinity;
    if (!reason) {
      const spread = 1 + TIMES.spread * luck;
      if (!hub.isOpen) return Math.max(last, hub.closedAt) + TIMES.old_without_socket * spread;
      return "liveAges" in mark.dataset ? last + TIMES.old * spread : Infinity;
    }
    if (this.tried) return last + Math.min(TIMES.again * 2 ** (this.tried - 1), TIMES.longest_again);
    if (reason === "every") return turnOf(this, since);
    return last + TIMES.own;
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
    Object.assign(this, { last: now, since: 0, tried: this.tried + 1, luck: Math.random() });
    hub.turn = now + TIMES.apart;
    const run = document.querySelector("[data-run]")?.dataset.run ?? "";
    const idle = window.requestIdleCallback ?? setTimeout;
    idle(() => this.isGone || this.ask({ run, at: hub.version }));
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
