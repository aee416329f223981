// A plain press on a row's link or on a bar opens History within the session: a full load would lose what is being
// written. Streamlit goes where the address leads, as after the browser's Forward.
const BARS = ".st-key-spend-days path[aria-roledescription=bar]";

function go(address) {
  history.pushState({}, "", address);
  dispatchEvent(new PopStateEvent("popstate", { state: {} }));
}

// The addresses of the bars stand in a hidden element, one for each, in their order.
function addressOf(bar) {
  const told = document.querySelector(".st-key-spend-days [data-bars]");
  return told && JSON.parse(told.dataset.bars)[[...document.querySelectorAll(BARS)].indexOf(bar)];
}

export default function () {
  const press = (event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest?.(".st-key-spend a[data-history]"), bar = event.target.closest?.(BARS);
    const address = link ? link.getAttribute("href") : bar && addressOf(bar);
    if (!address) return;
    event.preventDefault();
    go(address);
  };
  document.addEventListener("click", press);
  return () => document.removeEventListener("click", press);
}
