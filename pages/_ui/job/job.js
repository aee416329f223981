// Keys of a job's page, its links that change the page within the session, and what copies its address.
const FIELD = "input:not([type=radio]), textarea, select, [contenteditable=true], [role=combobox], [role=textbox]";
const OPEN = "dialog[open], [role=dialog], [data-testid=stPopoverBody]";
const KEYS = {
  s: ":is(.st-key-job_star, .st-key-job_star_on) button", h: ".st-key-job-hide button", r: ".st-key-job_remix a",
  c: ".job-links a[data-copy]", j: 'a[data-way="after"]', k: 'a[data-way="before"]',
};
const clip = () => document.querySelector(".st-key-job_player video");

function toggle(video) {
  if (!video.controls) {
    video.controls = true;
    video.removeAttribute("role");
    video.setAttribute("aria-label", video.getAttribute("aria-label").replace(/^Show large: /, ""));
  }
  if (video.paused) video.play().catch(() => {});
  else video.pause();
}

// A press on the picture shows it large; once it plays where it is, a press is its own.
function large(event) {
  const video = event.target;
  if (!(video instanceof Element) || !video.matches("video[data-large]:not([controls])")) return false;
  if (event.type === "keydown" && (event.key !== "Enter" || event.repeat)) return false;
  event.preventDefault();
  const { large: id, among } = video.dataset;
  document.dispatchEvent(new CustomEvent("studio:clip", { detail: { id, among, time: video.currentTime } }));
  return true;
}

const ON_CLIP = {
  " ": toggle,
  m: (video) => { video.muted = !video.muted; },
  f: (video) => {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (video.requestFullscreen) video.requestFullscreen().catch(() => {});
    else video.webkitEnterFullscreen?.();
  },
};

function keyed(event) {
  const at = event.composedPath()[0], key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || document.querySelector(OPEN)) return;
  if (!(at instanceof Element) || at.matches(FIELD) || large(event)) return;
  if (key === " " && at.matches("button, a, summary, [role=button]:not(video), [role=radio], input, video[controls]")) return;
  const video = clip(), star = key >= "1" && key <= "5" ? Number(key) : 0;
  const press = KEYS[key] && document.querySelector(KEYS[key]);
  if (press) press.click();
  else if (star) document.querySelectorAll(".st-key-job_opinions [data-testid=stFeedback] button")[star - 1]?.click();
  else if (video && ON_CLIP[key]) ON_CLIP[key](video);
  else return;
  event.preventDefault();
  event.stopImmediatePropagation(); // Streamlit has keys of its own
}

function byHand(text) {
  const give = (event) => { event.clipboardData.setData("text/plain", text); event.preventDefault(); event.stopImmediatePropagation(); };
  document.addEventListener("copy", give, true);
  try { return document.execCommand("copy"); } finally { document.removeEventListener("copy", give, true); }
}

async function copy(link) {
  const label = link.querySelector(".job-label");
  const done = await navigator.clipboard?.writeText(link.href).then(() => true, () => false) || byHand(link.href);
  label.textContent = done ? "Copied" : "Press Ctrl+C";
  link.dataset.said = "yes";
  setTimeout(() => { label.textContent = "Copy link"; delete link.dataset.said; }, 2000);
}

// Open another page in this session: Streamlit goes where the address leads, as after the browser's Forward. Its own way,
// `st.switch_page`, would leave an address between the two behind, and Back would have to be pressed twice.
function go(address) {
  history.pushState({}, "", address);
  dispatchEvent(new PopStateEvent("popstate", { state: {} }));
  document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
}

export default function () {
  const clicked = (event) => {
    if (large(event)) return;
    const at = event.target instanceof Element ? event.target : null, film = at?.closest(".st-key-job_film [data-present]");
    if (film) document.dispatchEvent(new CustomEvent("studio:present", { detail: JSON.parse(film.dataset.present) }));
    const link = at?.closest("a[data-copy], a[data-open]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if ("copy" in link.dataset) {
      if (!link.closest(".job-links, .st-key-job_more_phone")) return;
      event.preventDefault();
      copy(link);
    } else if (link.closest(".st-key-job")) {
      event.preventDefault();
      go(link.href);
    }
  };
  document.addEventListener("keydown", keyed, true);
  document.addEventListener("click", clicked);
  return () => {
    document.removeEventListener("keydown", keyed, true);
    document.removeEventListener("click", clicked);
  };
}
