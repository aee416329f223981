// Progress that one can leave: the title of the tab, and a notification of the desktop where somebody asked for it.
const MADE = ["intent", "submitted", "processing"]; // states in which a video is being made
const OVER = ["succeed", "failed"];
const NOTIFY_KEY = "studio-notify"; // in the browser's storage: somebody wants notifications

const clockOf = (since) => {
  const seconds = Math.max(0, Math.floor((Date.now() - since) / 1000));
  return Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
};

// The seconds of a running job are counted here, so that they cost the server nothing.
function count() {
  document.querySelectorAll("[data-since]").forEach((element) => {
    const text = clockOf(Number(element.dataset.since));
    if (element.textContent !== text) element.textContent = text;
  });
}

// Note a job of this tab that the page shows. It is remembered when another page is opened. Its age is told, not when it
// began: the clocks of browser and server may differ.
function noteOwn(hub, task, { own, age, state }) {
  const known = hub.own.get(task);
  if (known?.age !== age)
    hub.own.set(task, { name: own, age, began: Date.now() - Number(age), state: known?.state ?? state });
  noteStates(hub, [[task, state], [task, hub.told.get(task) ?? state]]);
}

// Take states that the page or the server tells; for a hidden tab only the server does.
function noteStates(hub, states) {
  for (const [task, state] of states) {
    const job = hub.own.get(task);
    if (!job || job.state === state || OVER.includes(job.state)) continue; // the page may know less than the server said
    const hasEnded = MADE.includes(job.state) && OVER.includes(state);
    job.state = state;
    if (!hasEnded) continue;
    if (!isLookedAt()) {
      hub.ended = job;
      hub.notify.say(`${WORDS[state]} · ${job.name}`, task);
    }
    if (document.hidden) ring(hub, [[task, state]]); // otherwise the page draws it in a moment, and that rings
  }
  showTitle(hub);
}

const isLookedAt = () => !document.hidden && document.hasFocus();

// "1:12 · Fox" while the newest job of this tab is made; "Done · Fox" from its end until the tab is looked at.
function showTitle(hub) {
  if (document.title !== hub.title) hub.pageTitle = document.title; // the page has set another one
  if (isLookedAt()) hub.ended = null;
  const made = [...hub.own.values()].filter(({ state }) => MADE.includes(state));
  const newest = made.sort((a, b) => b.began - a.began)[0];
  const title = newest ? `${clockOf(newest.began)} · ${newest.name}`
    : hub.ended ? `${WORDS[hub.ended.state]} · ${hub.ended.name}` : hub.pageTitle;
  if (document.title !== title) document.title = title;
  hub.title = title;
}

// Notifications exist only where the page came over https, or from this machine. They are asked for only by a press.
function notifier() {
  const exists = () => window.isSecureContext && "Notification" in window;
  const wanted = (value) => {
    try {
      if (value !== undefined) localStorage.setItem(NOTIFY_KEY, value);
      return localStorage.getItem(NOTIFY_KEY) === "on";
    } catch {
      return value === "on"; // a browser that keeps nothing
    }
  };
  return {
    // Whether it is of use to offer them.
    get available() { return exists() && Notification.permission !== "denied"; },
    // Whether they come.
    get on() { return exists() && Notification.permission === "granted" && wanted(); },
    // Call it in a press only. Return whether they come from now on.
    async ask() {
      if (!exists()) return false;
      wanted("on");
      if (Notification.permission === "default") await Notification.requestPermission();
      return this.on;
    },
    stop() { wanted("off"); },
    say(text, tag) {
      if (!this.on) return;
      try {
        const note = new Notification(text, { tag });
        note.onclick = () => { window.focus(); note.close(); };
      } catch { /* a phone shows them by other means only */ }
    },
  };
}
