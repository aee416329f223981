// A plain press on a row's link changes the page within the session: a full load would lose what is being written.
export default function ({ setTriggerValue }) {
  const press = (event) => {
    const link = event.target.closest?.("a[data-history]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    setTriggerValue("go", link.dataset.history);
  };
  document.addEventListener("click", press);
  return () => document.removeEventListener("click", press);
}
