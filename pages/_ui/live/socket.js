const AWAY = "The studio's server does not answer. What you typed is kept; it goes on by itself.";
const APP = '[data-testid="stApp"]';
// Streamlit's own dialogs, unlike those that a page draws, hold no elements of the page.
const DIALOG = '[data-testid="stDialog"]:not(:has([data-testid="stVerticalBlock"]))';

// Keep a socket open. What it says is heard by `hear`; how it is, `watchServer` looks at.
function connect(hub) {
  let retry = 500, silent = null;
  const open = () => {
    const scheme = location.protocol === "https:" ? "wss://" : "ws://";
    const socket = hub.socket = new WebSocket(scheme + location.host + PATH + known(hub));
    let over = false;
    const close = () => {
      if (over) return;
      over = true;
      if (hub.isOpen) hub.closedAt = Date.now();
      hub.isOpen = false;
      clearTimeout(silent);
      socket.close();
      leaveIfSignedOut(hub);
      setTimeout(open, retry * (0.75 + Math.random() / 2));
      retry = Math.min(retry * 2, TIMES.longest_retry);
    };
    socket.onmessage = (event) => {
      if (over) return;
      hub.opened = hub.isOpen = true;
      retry = 500;
      clearTimeout(silent); // a connection that was cut without a message is noticed by its silence
      silent = setTimeout(close, TIMES.silent);
      hear(hub, JSON.parse(event.data));
      watchServer(hub);
    };
    socket.onclose = close;
  };
  open();
}

// Return which version this page knows, so that it is told only what has changed since.
function known(hub) {
  const drawn = [...document.querySelectorAll("[data-live]")].map(({ dataset }) => Number(dataset.version));
  const version = hub.version >= 0 ? hub.version : Math.min(...drawn);
  return Number.isFinite(version) ? `?since=${version}` : "";
}

// Browsers do not say why a socket was refused, so a request asks. Who has signed out, in whatever tab, leaves for the
// page that signs in; what is not stored yet stays in this tab (composer/autosave.js).
async function leaveIfSignedOut(hub) {
  const answer = await fetch(PATH, { cache: "no-store", redirect: "manual" }).catch(() => null);
  // A proxy that lets no socket through may refuse this too: the page would be loaded again and again.
  const isOver = answer && (answer.type === "opaqueredirect" || answer.status === 403) && hub.opened;
  if (isOver || answer?.status === 401) location.reload();
}

// Say when the server does not answer, and keep Streamlit's dialog about that off the page: it is written for developers.
// If no socket of ours ever opened, a proxy may forbid that one; then Streamlit's own tells whether the server is there.
function watchServer(hub) {
  hub.banner ??= status("position:fixed;bottom:1rem;left:50%;transform:translateX(-50%);z-index:1000000;display:none;" +
    "width:max-content;max-width:min(40rem,92vw);box-sizing:border-box;padding:.6rem 1rem;border-radius:.6rem;" +
    "background:#1c1830;color:#fff;border:1px solid #9d92c9;font:500 .95rem/1.4 sans-serif;");
  hub.sheet ??= document.head.appendChild(Object.assign(document.createElement("style"),
    { textContent: `[data-studio-away] ${DIALOG} { display: none; }` }));
  const isCutOff = (document.querySelector(APP)?.dataset.testConnectionState ?? "CONNECTED") !== "CONNECTED";
  const isAway = isCutOff || (hub.opened && !hub.isOpen);
  document.documentElement.toggleAttribute("data-studio-away", isAway);
  hub.awaySince = isAway ? hub.awaySince ?? Date.now() : null;
  const words = isAway && Date.now() - hub.awaySince >= TIMES.away ? AWAY : "";
  if (hub.banner.textContent !== words) {
    hub.banner.textContent = words;
    hub.banner.style.display = words ? "block" : "none";
  }
  shutDialog(hub);
}

// It takes the focus too, unless it is closed at once. Closed, it does not come again.
function shutDialog(hub) {
  if (hub.awaySince) document.querySelector(`${DIALOG} button[aria-label="Close"]`)?.click();
}
