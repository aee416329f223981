// For the list of History and the wall: icons, times, addresses with ids in them, and what a browser keeps.
const STAR = "M12 2.6l2.9 6 6.6.9-4.8 4.6 1.2 6.5L12 17.5l-5.9 3.1 1.2-6.5L2.5 9.5l6.6-.9z";
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

function put(parent, children) { // in this order; what stands where it should is not touched, so that a clip plays on
  const wanted = new Set(children);
  [...parent.children].forEach((child) => { if (!wanted.has(child)) child.remove(); });
  let next = parent.firstElementChild;
  for (const child of children) {
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
}

// Open another page in this session: Streamlit goes where the address leads, as after the browser's Forward. Its own way,
// `st.switch_page`, would leave an address between the two behind, and Back would have to be pressed twice.
function go(address) {
  history.pushState({}, "", address);
  dispatchEvent(new PopStateEvent("popstate", { state: {} }));
}
