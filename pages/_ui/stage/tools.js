// Small tools of the stage: what several of its parts use. stage.js tells of the whole.
// Everything that comes from jobs is put in as text, and only ids of plain letters become addresses.
const ID = /^[0-9A-Za-z][0-9A-Za-z_-]{0,63}$/;
const PHONE = matchMedia("(max-width: 640px)"), CALM = matchMedia("(prefers-reduced-motion: reduce)");
const SHAPES = {
  play: "M8 5.1v13.8L19 12z", pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  loud: "M4 9v6h4l5 5V4L8 9zM15.5 8.2a5 5 0 0 1 0 7.6M18 5.6a9 9 0 0 1 0 12.8",
  mute: "M4 9v6h4l5 5V4L8 9zM16 9.5l5 5M21 9.5l-5 5",
  large: "M13 4h7v7M11 20H4v-7M20 4l-7 7M4 20l7-7",
  full: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  keep: "M12 4v11M7 10.5l5 5 5-5M5 20h14", bell: "M6 17V11a6 6 0 0 1 12 0v6M4 17h16M10 20.5h4",
  up: "M6 15l6-6 6 6", down: "M6 9l6 6 6-6", close: "M6 6l12 12M18 6L6 18",
};
const classed = (element, name, on) => { if (element.classList.contains(name) !== on) element.classList.toggle(name, on); };
const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
const clip = (id, kind) => `${BASE}/clips/${id}.${kind}`;
const isUnderWay = ({ look }) => ["made", "waiting", "held"].includes(look);
const ratioOf = (job) => job.shape[0] / job.shape[1];

function icon(shape) {
  const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(space, "path"));
  return draw(svg, shape);
}

function draw(svg, shape) {
  svg.firstChild.setAttribute("d", SHAPES[shape]);
  classed(svg, "stage-line", !["play", "pause"].includes(shape));
  return svg;
}

function button(name, label, shape, act) {
  const element = set(make("button", name), { type: "button", "aria-label": label, title: label });
  element.append(icon(shape));
  element.addEventListener("click", act);
  return element;
}

// A clip that plays goes on playing where it is moved to; browsers without `moveBefore` begin it again.
function move(parent, child, before = null) {
  if (child.parentNode === parent && child.nextSibling === before) return;
  if (parent.moveBefore && parent.isConnected && child.isConnected) { parent.moveBefore(child, before); return; }
  const playing = [child, ...child.querySelectorAll("video")].filter((each) => each.paused === false);
  parent.insertBefore(child, before);
  playing.forEach((video) => video.play().catch(() => {}));
}

function put(parent, children) { // in this order; what stands where it should is not touched
  [...parent.children].forEach((child) => { if (!children.includes(child)) child.remove(); });
  children.forEach((child, place) => { if (parent.children[place] !== child) move(parent, child, parent.children[place] ?? null); });
}
