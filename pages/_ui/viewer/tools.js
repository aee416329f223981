// Small tools of the lightbox and of Present. Everything that comes from jobs is put in as text.
const STAR = "M12 2.6l2.9 6 6.6.9-4.8 4.6 1.2 6.5L12 17.5l-5.9 3.1 1.2-6.5L2.5 9.5l6.6-.9z";
const SHAPES = { play: "M8 5.1v13.8L19 12z", pause: "M6 5h4v14H6zM14 5h4v14h-4z", star: STAR };
const ID = /^[0-9A-Za-z][0-9A-Za-z_-]{0,63}$/;
const CALM = matchMedia("(prefers-reduced-motion: reduce)"), PHONE = matchMedia("(max-width: 640px)");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

const minutes = (seconds, tenths = false) => {
  const whole = Math.max(0, tenths ? Math.floor(seconds * 10) / 10 : Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${(whole % 60).toFixed(tenths ? 1 : 0).padStart(tenths ? 4 : 2, "0")}`;
};

function icon(name) { // one of ours, or one of the font's
  if (!SHAPES[name]) return set(make("span", "ms", name), { "aria-hidden": "true" });
  const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(space, "path"));
  svg.firstChild.setAttribute("d", SHAPES[name]);
  return svg;
}

function button(label, shape, press, { key = "", words = "", name = "viewer-icon" } = {}) {
  const element = set(make("button", name), { type: "button", "aria-label": label, title: key ? `${label} (${key})` : label });
  element.append(icon(shape));
  if (words) element.append(make("span", "", words));
  element.addEventListener("click", press);
  return element;
}

function relabel(element, label, key, shape = "") { // what a button does may change
  set(element, { "aria-label": label, title: key ? `${label} (${key})` : label });
  if (!shape || element.dataset.shape === shape) return;
  element.dataset.shape = shape;
  element.firstChild.replaceWith(icon(shape));
}

// Open another page in this session: Streamlit goes where the address leads, as after the browser's Forward.
function go(address) {
  history.pushState({}, "", address);
  dispatchEvent(new PopStateEvent("popstate", { state: {} }));
  document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
}

const OUT = "You are signed out. Load the page again to sign in.";
async function told(query) { // of the server: what it says, or why it says nothing
  try {
    const answer = await fetch(`${BASE}/viewer?${query}`, { cache: "no-store", headers: { Accept: "application/json" } });
    const said = await answer.json().catch(() => ({}));
    return answer.ok && (said.clip || said.clips) ? said : { why: said.why ?? (answer.status === 401 ? OUT : "The studio does not tell of this clip now. Try again in a moment."), page: said.page, gone: said.gone };
  } catch { return { why: "The studio does not answer. This clip can be shown once it does.", away: true }; }
}

const asked = (values, among) => `${new URLSearchParams({ ...values, tz: zone })}${among ? `&${among}` : ""}`;

// What plays on the page stops while something lies over it, and goes on afterwards.
function hush(but) {
  const playing = [...document.querySelectorAll("video")].filter((video) => !video.paused && !but.contains(video));
  playing.forEach((video) => video.pause());
  return () => playing.forEach((video) => { if (video.isConnected) video.play().catch(() => {}); });
}

function giveBack(...places) { // the focus, to the first of these that is there
  const place = places.find((each) => each?.isConnected && each !== document.body);
  if (place) place.focus(); else document.activeElement?.blur();
}

async function play(video) { // a browser may refuse sound before the first press
  try { await video.play(); } catch (error) {
    if (error.name !== "NotAllowedError" || video.muted) return;
    video.muted = true;
    await video.play().catch(() => {});
  }
}
