// One hub for each tab. `states` and `opened` are read by tests, `notify` by the button that asks for notifications.
function hub() {
  if (window.__studioLive) return window.__studioLive;
  const hub = {
    opened: false,     // a socket has been open
    isOpen: false,     // one is open now
    closedAt: 0,       // since when none is
    version: -1,       // of the last message
    news: [],          // {version, names, at}: what has changed and when, the oldest first; null names: anything
    forgotten: -1,     // version of the newest news that was dropped from that list
    tabs: 1,           // that are open on the server, with those of everybody
    parts: new Set(),  // live parts of this page
    turn: 0,           // no part asks for a run before this time
    touched: 0,        // when somebody last clicked or typed
    used: 0,           // when the server was last told of that
    socket: null,      // the one of now, or the last one
    states: new Map(), // state of each job by its id, as last read out
    own: new Map(),    // jobs of this tab by id: {name, age, began, state}
    told: new Map(),   // states by id that the server told last; it may do so before the page has drawn the job
  };
  window.__studioLive = hub;
  hub.notify = notifier();
  connect(hub);
  const look = () => {
    count();
    watchTasks(hub);
    showTitle(hub);
    watchServer(hub);
    hub.parts.forEach((part) => part.plan());
  };
  setInterval(look, 500);
  new MutationObserver(() => shutDialog(hub)).observe(document.body, { childList: true });
  for (const name of ["pointerdown", "pointerup", "keydown", "input"])
    document.addEventListener(name, ({ isTrusted }) => {
      hub.touched = Date.now();
      if (isTrusted) tellUse(hub);
    }, { capture: true, passive: true });
  for (const [target, name] of [[document, "visibilitychange"], [window, "focus"], [window, "blur"]])
    target.addEventListener(name, look);
  document.addEventListener("play", leaveStill, true);
  document.querySelectorAll("video").forEach((target) => leaveStill({ target })); // that play already
  return hub;
}

// A session that nobody uses ends. Much is done in a page without a run of Streamlit's, as in the lightbox.
function tellUse(hub) {
  if (!hub.isOpen || Date.now() - hub.used < TIMES.used) return;
  hub.used = Date.now();
  hub.socket.send(new Uint8Array());
}

// Take a message of the server: {version, jobs, states, running, waiting, tabs}; see routes/live.py.
function hear(hub, message) {
  hub.tabs = message.tabs;
  showCounts(message);
  if (message.version < hub.version) Object.assign(hub, { news: [], forgotten: -1 }); // a server with another clock
  if (message.version !== hub.version) {
    hub.version = message.version;
    hub.news.push({ version: message.version, names: message.jobs && new Set(message.jobs), at: Date.now() });
    while (hub.news.length > 200) hub.forgotten = hub.news.shift().version;
  }
  Object.entries(message.states).forEach(([task, state]) => hub.told.set(task, state));
  [...hub.told.keys()].slice(0, -500).forEach((task) => hub.told.delete(task));
  noteStates(hub, Object.entries(message.states));
  hub.parts.forEach((part) => part.plan());
}

// The words of the bar, as pages/_ui/frame/bar.py writes them.
function showCounts({ running, waiting }) {
  const parts = [running && `${running.toLocaleString("en")} being made`, waiting && `${waiting.toLocaleString("en")} waiting`];
  const words = parts.filter(Boolean).join(" · ");
  document.querySelectorAll("[data-counts]").forEach((element) => {
    if (element.textContent !== words) element.textContent = words;
  });
}

// For people who asked their system for less motion no video starts by itself.
function leaveStill({ target }) {
  if (!target.autoplay || !matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  Object.assign(target, { autoplay: false, controls: true });
  target.pause();
}

function status(style) {
  const element = document.createElement("div");
  element.setAttribute("role", "status");
  element.setAttribute("aria-live", "polite");
  element.dataset.liveAnnouncer = "true"; // an open dialog hides everything else from screen readers, but not this
  element.style.cssText = style;
  return document.body.appendChild(element);
}
