// The wall: pictures of clips in rows that fill the width. Everything that comes from jobs is put in as text; an id becomes
// a part of an address encoded.
const PHONE = matchMedia("(max-width: 640px)"), TABLET = matchMedia("(max-width: 1100px)");
const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const SIZE = "studio-wall-size", PLACE = "studio-wall-place"; // in the browser's storage
const STAR = "M12 2.6l2.9 6 6.6.9-4.8 4.6 1.2 6.5L12 17.5l-5.9 3.1 1.2-6.5L2.5 9.5l6.6-.9z";
const TICK = "M5 12.5l4.5 4.5L19 7.5";

const make = (tag, name = "", words = "") => Object.assign(document.createElement(tag), { className: name, textContent: words });
const set = (element, values) => { // writes only what differs
  for (const [name, value] of Object.entries(values)) {
    if (name === "text") { if (element.textContent !== value) element.textContent = value; }
    else if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
  return element;
};
const icon = (name) => set(make("span", "ms", name), { "aria-hidden": "true" });
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
const fill = (address, id) => address.replace(/(=)-(?=&|$)/, (_, sign) => sign + encodeURIComponent(id));
const named = (ids) => ids.map(encodeURIComponent).join(",");
const kept = (where, name, value) => { // in the browser; one that keeps nothing forgets
  try { if (value === undefined) return where.getItem(name); where.setItem(name, value); } catch { return null; }
};

function shape(path) {
  const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg"), line = document.createElementNS(space, "path");
  line.setAttribute("d", path);
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.append(line);
  return svg;
}

function pressable(words, look, press, name = "") { // a button with an icon, and its words beside it
  const element = set(make("button", name), { type: "button" });
  element.append(typeof look === "string" ? icon(look) : look, make("span", "", words));
  element.addEventListener("click", press);
  return element;
}

function put(parent, children) { // in this order; what stands where it should is not touched, so that a clip plays on
  const wanted = new Set(children);
  [...parent.children].forEach((child) => { if (!wanted.has(child)) child.remove(); });
  let next = parent.firstElementChild;
  for (const child of children) {
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
}

// Open another page in this session: Streamlit goes where the address leads, as after the browser's Forward.
function go(address) {
  history.pushState({}, "", address);
  dispatchEvent(new PopStateEvent("popstate", { state: {} }));
}
