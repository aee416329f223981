// Opens the lightbox or Present: by a press on a link to a clip, by what another script asks for, by an address. Their
// script is loaded when that first happens. What is pressed in it, and on a page that is left, goes to Python from here.
const ASKS = ["studio:clip", "studio:present"];
let start = null, coming = null;

function begin() {
  coming ??= load().then((script) => {
    start = script.default;
    for (const name of ASKS) document.removeEventListener(name, asked);
    removeEventListener("popstate", addressed);
    start();
  }, () => { coming = null; }); // the next press tries again
  return coming;
}

async function asked({ type, detail }) {
  await begin();
  if (start) document.dispatchEvent(new CustomEvent(type, { detail }));
}

function addressed() { if (/[?&]clip=/.test(location.search)) begin(); } // it reads the address itself

// With Ctrl or the middle button a link stays a link.
function clicked(event) {
  const link = event.target instanceof Element ? event.target.closest("a[data-clip]") : null;
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  document.dispatchEvent(new CustomEvent("studio:clip", { detail: { id: link.dataset.clip, among: link.dataset.among } }));
}

for (const name of ASKS) document.addEventListener(name, asked);
document.addEventListener("click", clicked, true);
addEventListener("popstate", addressed);
addressed();

export default function ({ setTriggerValue }) {
  start?.();
  return sender.mount("viewer", setTriggerValue);
}
