// The pages of collections: links that change the page within the session, the address of one, and Present.
function go(address) { // Streamlit goes where the address leads, as after the browser's Forward
  history.pushState({}, "", address);
  dispatchEvent(new PopStateEvent("popstate", { state: {} }));
  document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
}

async function copy(link) { // bar.js gives a clipboard where the browser has none
  const label = link.querySelector(".job-label"), words = link.dataset.words ?? (link.dataset.words = label.textContent);
  const done = await navigator.clipboard?.writeText(link.href).then(() => true, () => false);
  label.textContent = done ? "Copied" : "This browser does not copy";
  link.dataset.said = "yes";
  setTimeout(() => { label.textContent = words; delete link.dataset.said; }, 2000);
}

export default function () {
  const clicked = (event) => {
    const at = event.target instanceof Element ? event.target : document.body;
    const present = at.closest(".st-key-collection [data-present]"), link = at.closest(":is(.st-key-collections, .st-key-collection) a");
    if (present) {
      document.dispatchEvent(new CustomEvent("studio:present", { detail: JSON.parse(present.dataset.present) }));
    } else if (link && !event.button && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey) {
      if (!("open" in link.dataset) && !("copy" in link.dataset)) return;
      event.preventDefault();
      if ("copy" in link.dataset) copy(link);
      else go(link.href);
    }
  };
  document.addEventListener("click", clicked);
  return () => document.removeEventListener("click", clicked);
}
