// One hub for each tab: the socket that tells of changes, and a timer that looks at the page twice a second.
const PATH = __PATH__;
const AWAY = "The studio's server does not answer. What you typed is kept; it goes on by itself.";
const AWAY_AFTER = 3000, SILENT_AFTER = 60000, LONGEST_RETRY = 5000; // milliseconds; the server speaks every 20 s
const MIN_PAUSE = 400; // milliseconds between two drawings: a batch changes the log many times a second
// Streamlit 1.67 runs only one of the triggers of one batch ("several fragment ids in one batch", says its console).
// A trigger therefore waits until nobody has clicked or typed for a moment, but not for ever.
const CALM = 600, LONGEST_WAIT = 3000; // milliseconds

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
  document.querySelectorAll("video").forEach((target) => leaveStill({ target })); // that play already
  return hub;
}

// For people who asked their system for less motion no video starts by itself.
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
      leaveIfSignedOut(hub);
      // If no socket ever opened, a proxy may forbid them: then pages are drawn by Streamlit's timer, and all is well.
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
      clearTimeout(silent); // a connection that was cut without a message is noticed by its silence
      silent = setTimeout(close, SILENT_AFTER);
      hub.version = Number(event.data);
      // One after the other, so that each is a batch of its own.
      [...hub.listeners].forEach((listener, index) => setTimeout(listener, 100 * index));
    };
    socket.onclose = close;
  };
  open();
}

// Browsers do not say why a socket was refused, so a request asks. Who has signed out, in whatever tab, leaves for the
// page that signs in; what is not stored yet stays in this tab (composer/autosave.js).
async function leaveIfSignedOut(hub) {
  const answer = await fetch(PATH, { cache: "no-store", redirect: "manual" }).catch(() => null);
  // A proxy that lets no socket through may refuse this too: the page would be loaded again and again.
  const isOver = answer && (answer.type === "opaqueredirect" || answer.status === 403) && hub.opened;
  if (isOver || answer?.status === 401) location.reload();
}

// Streamlit shows a dialog for developers when its server is away ("streamlit run yourscript.py"): close it.
function closeStreamlitsDialog(hub) {
  if (!hub.opened) return;
  const dialog = '[data-testid="stDialog"]:has([data-testid="stErrorCodeBlock"])';
  hub.style ??= document.head.appendChild(Object.assign(document.createElement("style"),
    { textContent: `${dialog} { display: none; }` }));
  document.querySelector(`${dialog} button[aria-label="Close"]`)?.click();
}

// The seconds of a running job are counted here, so that they cost the server nothing.
function count() {
  document.querySelectorAll("[data-since]").forEach((element) => {
    const seconds = Math.max(0, Math.floor((Date.now() - Number(element.dataset.since)) / 1000));
    const text = Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
    if (element.textContent !== text) element.textContent = text;
  });
}

// Tell screen readers which jobs have changed since the last time; play a sound where that is switched on.
function watchTasks(hub) {
  hub.region ??= status("position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap;");
  const now = new Map(); // one element for each job, though the page may show a job twice
  document.querySelectorAll("[data-task][data-state]").forEach((element) => now.set(element.dataset.task, element));
  const changed = [...now].filter(([task, { dataset }]) => (hub.states.get(task) ?? dataset.state) !== dataset.state);
  now.forEach((element, task) => hub.states.set(task, element.dataset.state));
  if (!changed.length) return;
  hub.region.textContent = changed.map(([, { dataset }]) => dataset.say).filter(Boolean).join(" ");
  clearTimeout(hub.said);
  hub.said = setTimeout(() => { hub.region.textContent = ""; }, 10000); // the same text is read out only if it was away
  const ended = changed.map(([, { dataset }]) => dataset.state).filter((state) => ["succeed", "failed"].includes(state));
  if (ended.length && document.querySelector('[data-chime="on"]')) chime(hub, ended.includes("succeed"));
}

function chime(hub, well) {
  // Before the first click on a page browsers play no sound, and play it later all at once.
  if (navigator.userActivation?.hasBeenActive === false) return;
  hub.audio ??= new AudioContext();
  hub.audio.resume();
  (well ? [659, 880] : [659, 494]).forEach((hertz, index) => {
    const tone = hub.audio.createOscillator(), loudness = hub.audio.createGain();
    const start = hub.audio.currentTime + 0.05 + 0.16 * index;
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
  element.dataset.liveAnnouncer = "true"; // an open dialog hides everything else from screen readers, but not this
  element.style.cssText = style;
  return document.body.appendChild(element);
}

export default function ({ parentElement, setTriggerValue }) {
  const live = hub();
  // The key that Python gave to this mount, `live.{key}`, is a class of an element around it.
  const around = (parentElement.getRootNode().host ?? parentElement).closest('[class*="st-key-live-"]');
  const key = around?.className.match(/st-key-live-(\S+)/)?.[1];
  const drawn = () => Number(document.querySelector(`[data-live="${key}"]`)?.dataset.version ?? -1);
  const idle = window.requestIdleCallback ?? ((then) => setTimeout(then));
  let timer = null, isDue = false, last = 0, since = 0, isGone = false;
  const later = (wait, pause) => { clearTimeout(timer); timer = setTimeout(check, wait, pause); };
  // A trigger is lost when another one is in its batch: repeat it until the page shows the server's version.
  const check = (pause) => {
    const calm = live.touched + CALM - Date.now();
    if (calm > 0 && Date.now() < since + LONGEST_WAIT) return later(calm, pause);
    isDue = false;
    if (drawn() >= live.version) return;
    last = since = Date.now();
    const run = () => document.querySelector("[data-run]")?.dataset.run ?? "";
    idle(() => isGone || setTriggerValue("changed", { run: run(), at: live.version }));
    later(pause, Math.min(pause * 2, 8000));
  };
  const listener = () => {
    if (isDue) return;
    isDue = true;
    since = Date.now();
    later(Math.max(60, last + MIN_PAUSE - Date.now()), 500);
  };
  live.listeners.add(listener);
  listener();
  return () => { isGone = true; live.listeners.delete(listener); clearTimeout(timer); };
}
