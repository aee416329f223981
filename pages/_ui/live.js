// One hub a tab: the socket that tells of changes, and what looks at the page twice a second.
const PATH = __PATH__, KEY = __KEY__;
const AWAY = "The studio's server does not answer. What you typed is kept; it goes on by itself.";
const AWAY_AFTER = 3000, SILENT_AFTER = 60000, LONGEST_RETRY = 5000; // milliseconds; the server speaks every 20 s
const REST = 400; // milliseconds between two drawings: a batch changes the log many times a second
// News that is sent together with what somebody does makes Streamlit run but one of the two: it waits for calm.
const CALM = 600, PATIENCE = 3000; // milliseconds since somebody did something; of waiting for that

function hub() {
  if (window.__studioLive) return window.__studioLive;
  const hub = { version: -1, listeners: new Set(), states: new Map(), touched: 0 };
  window.__studioLive = hub;
  connect(hub);
  const look = () => { count(); watchTasks(hub); closeStreamlitsDialog(hub); };
  setInterval(look, 500);
  for (const name of ["pointerdown", "pointerup", "keydown", "input"])
    document.addEventListener(name, () => { hub.touched = Date.now(); }, { capture: true, passive: true });
  document.addEventListener("play", leaveStill, true);
  document.querySelectorAll("video").forEach((target) => leaveStill({ target })); // those that were faster
  return hub;
}

// Who asked the system for less motion starts a video by hand.
function leaveStill({ target }) {
  if (!target.autoplay || !matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  Object.assign(target, { autoplay: false, controls: true });
  target.pause();
}

function connect(hub) {
  const banner = status("position:fixed;bottom:1rem;left:50%;transform:translateX(-50%);z-index:1000000;display:none;" +
    "width:max-content;max-width:min(40rem,92vw);box-sizing:border-box;padding:.6rem 1rem;border-radius:.6rem;" +
    "background:#1c1830;color:#fff;border:1px solid #9d92c9;font:500 .95rem/1.4 sans-serif;");
  const say = (text) => { banner.textContent = text; banner.style.display = text ? "block" : "none"; };
  let retry = 500, away = null, silent = null;
  const open = () => {
    const scheme = location.protocol === "https:" ? "wss://" : "ws://";
    const socket = new WebSocket(scheme + location.host + PATH);
    let over = false;
    const close = () => {
      if (over) return;
      over = true;
      clearTimeout(silent);
      socket.close();
      // A socket that never opened may be a proxy's doing: then the pages ask by themselves, and all is well.
      if (hub.opened) away ??= setTimeout(say, AWAY_AFTER, AWAY);
      setTimeout(open, retry * (0.75 + Math.random() / 2));
      retry = Math.min(retry * 2, LONGEST_RETRY);
    };
    socket.onmessage = (event) => {
      if (over) return;
      hub.opened = true;
      retry = 500;
      clearTimeout(away);
      away = null;
      say("");
      clearTimeout(silent); // a connection that was cut without a word is noticed by its silence
      silent = setTimeout(close, SILENT_AFTER);
      hub.version = Number(event.data);
      // One after the other: Streamlit runs one fragment for each batch of triggers.
      [...hub.listeners].forEach((listener, place) => setTimeout(listener, 100 * place));
    };
    socket.onclose = close;
  };
  open();
}

// Streamlit's own words for this are for a developer ("streamlit run yourscript.py"), in a dialog over the page.
function closeStreamlitsDialog(hub) {
  if (!hub.opened) return;
  const dialog = '[data-testid="stDialog"]:has([data-testid="stErrorCodeBlock"])';
  hub.style ??= document.head.appendChild(Object.assign(document.createElement("style"),
    { textContent: `${dialog} { display: none; }` }));
  document.querySelector(`${dialog} button[aria-label="Close"]`)?.click();
}

// A running task costs the server nothing: its seconds are counted here.
function count() {
  document.querySelectorAll("[data-since]").forEach((element) => {
    const seconds = Math.max(0, Math.floor((Date.now() - Number(element.dataset.since)) / 1000));
    const text = Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
    if (element.textContent !== text) element.textContent = text;
  });
}

// Say what has changed since the last look to those who do not see it; ring where that is wanted.
function watchTasks(hub) {
  hub.region ??= status("position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap;");
  const now = new Map(); // of each task one element: two of them may be drawn one after the other
  document.querySelectorAll("[data-task][data-state]").forEach((element) => now.set(element.dataset.task, element));
  const changed = [...now].filter(([task, { dataset }]) => (hub.states.get(task) ?? dataset.state) !== dataset.state);
  now.forEach((element, task) => hub.states.set(task, element.dataset.state));
  if (!changed.length) return;
  hub.region.textContent = changed.map(([, { dataset }]) => dataset.say).filter(Boolean).join(" ");
  clearTimeout(hub.said);
  hub.said = setTimeout(() => { hub.region.textContent = ""; }, 10000); // the same words again are news again
  const ended = changed.map(([, { dataset }]) => dataset.state).filter((state) => ["succeed", "failed"].includes(state));
  if (ended.length && document.querySelector('[data-chime="on"]')) chime(hub, ended.includes("succeed"));
}

function chime(hub, well) {
  // Before the first click a browser keeps silent, and would play everything that is due after it.
  if (navigator.userActivation?.hasBeenActive === false) return;
  hub.audio ??= new AudioContext();
  hub.audio.resume();
  (well ? [659, 880] : [659, 494]).forEach((hertz, place) => {
    const tone = hub.audio.createOscillator(), loudness = hub.audio.createGain();
    const start = hub.audio.currentTime + 0.05 + 0.16 * place;
    tone.frequency.value = hertz;
    loudness.gain.setValueAtTime(0, start);
    loudness.gain.linearRampToValueAtTime(0.15, start + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.0001, start + 0.6);
    tone.connect(loudness).connect(hub.audio.destination);
    tone.start(start);
    tone.stop(start + 0.6);
  });
}

function status(style) {
  const element = document.createElement("div");
  element.setAttribute("role", "status");
  element.setAttribute("aria-live", "polite");
  element.dataset.liveAnnouncer = "true"; // an open dialog hides everything else from readers, but not this
  element.style.cssText = style;
  return document.body.appendChild(element);
}

export default function ({ setTriggerValue }) {
  const live = hub();
  const drawn = () => Number(document.querySelector(`[data-live="${KEY}"]`)?.dataset.version ?? -1);
  const idle = window.requestIdleCallback ?? ((then) => setTimeout(then));
  let timer = null, soon = false, last = 0, since = 0, gone = false;
  const later = (wait, pause) => { clearTimeout(timer); timer = setTimeout(check, wait, pause); };
  // A trigger can be lost when two fall into one batch: ask until the page shows what the server has.
  const check = (pause) => {
    const calm = live.touched + CALM - Date.now();
    if (calm > 0 && Date.now() < since + PATIENCE) return later(calm, pause);
    soon = false;
    if (drawn() >= live.version) return;
    last = since = Date.now();
    const run = () => document.querySelector("[data-run]")?.dataset.run ?? "";
    idle(() => gone || setTriggerValue("changed", { run: run(), at: live.version }));
    later(pause, Math.min(pause * 2, 8000));
  };
  const listener = () => {
    if (soon) return;
    soon = true;
    since = Date.now();
    later(Math.max(60, last + REST - Date.now()), 500);
  };
  live.listeners.add(listener);
  listener();
  return () => { gone = true; live.listeners.delete(listener); clearTimeout(timer); };
}
