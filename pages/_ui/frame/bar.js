// What the bar does without the server: it names the open page to readers, shows the list of keys, leads past itself
// with the keyboard, and gives pages a clipboard where the browser has none.
const FIELD = "input, textarea, select, [contenteditable=true], [role=combobox], [role=textbox]";

// On plain http a browser has no navigator.clipboard, and Streamlit's own copy buttons use it.
function clipboard() {
  if (navigator.clipboard) return;
  const writeText = async (text) => {
    const give = (event) => {
      event.clipboardData.setData("text/plain", text);
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    document.addEventListener("copy", give, true);
    try {
      if (!document.execCommand("copy")) throw new Error("This browser does not copy.");
    } finally {
      document.removeEventListener("copy", give, true);
    }
  };
  Object.defineProperty(navigator, "clipboard", { value: { writeText }, configurable: true });
}

function mark(bar) {
  const pages = bar.querySelector(".st-key-pages");
  pages?.setAttribute("role", "navigation");
  pages?.setAttribute("aria-label", "Pages");
  pages?.querySelectorAll("a").forEach((link) => {
    const isOpen = Boolean(link.querySelector("strong")); // so Streamlit shows the page that is open
    if (isOpen === link.hasAttribute("aria-current")) return;
    if (isOpen) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  });
}

export default function ({ parentElement }) {
  clipboard();
  const bar = parentElement.closest(".st-key-bar"), dialog = parentElement.querySelector("dialog");
  const watch = new MutationObserver(() => mark(bar));
  watch.observe(bar, { childList: true, subtree: true }); // links are drawn after this
  mark(bar);

  const skip = Object.assign(document.createElement("a"), { className: "studio-skip", href: "#" });
  const field = () => document.querySelector(".st-key-composer-prompt textarea");
  document.body.prepend(skip);
  skip.textContent = "Skip to the content";
  skip.onfocus = () => { skip.textContent = field() ? "Skip to the prompt" : "Skip to the content"; };
  skip.onclick = (event) => {
    event.preventDefault();
    const main = document.querySelector("[data-testid=stMain]");
    main.tabIndex = -1;
    (field() ?? main).focus();
  };

  parentElement.querySelector("[data-keys]").onclick = () => dialog.showModal();
  dialog.onclick = (event) => { if (event.target === dialog) dialog.close(); };
  const press = (event) => {
    const target = event.composedPath()[0];
    if (event.key !== "?" || event.ctrlKey || event.metaKey || target.matches?.(FIELD)) return;
    if (document.querySelector("[role=dialog], dialog[open]")) return;
    event.preventDefault();
    dialog.showModal();
  };
  document.addEventListener("keydown", press);
  return () => {
    watch.disconnect();
    skip.remove();
    document.removeEventListener("keydown", press);
  };
}
