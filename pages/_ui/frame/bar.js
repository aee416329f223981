// What every page does without the server: the bar names the open page to readers, shows the list of keys and leads
// past itself with the keyboard; and there is a clipboard where the browser has none.
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

// The number of the open page among the links stands in the key that Python gave to this mount.
function mark(bar, open) {
  const pages = bar.querySelector(".st-key-pages");
  pages?.setAttribute("role", "navigation");
  pages?.setAttribute("aria-label", "Pages");
  pages?.querySelectorAll("a").forEach((link, number) => {
    if (number === open) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  });
}

// Browsers have notifications only on https and localhost, and ask for leave only after a press.
function offerNotifications(event) {
  const notify = window.__studioLive?.notify;
  if (event?.target.closest?.(".studio-notify")) notify?.ask();
  const isOffered = isSecureContext && notify?.available && !notify.on && !event?.target.closest?.(".studio-notify");
  document.documentElement.dataset.notify = isOffered ? "offered" : "";
}

// Streamlit keeps a theme for each address of a page, and reads it when the page is loaded. Its own choice lies in the
// menu of its header, which is hidden.
const themeKey = (page) => {
  const compose = new URL(document.querySelector(".st-key-pages a[href='']")?.href ?? location.href).pathname;
  return `stActiveTheme-${compose.replace(/[^/]*$/, "")}${page}-v2`;
};

function theme(event) {
  const chosen = event?.type === "click" && event.target.closest?.(".studio-theme button")?.dataset.theme;
  try {
    if (chosen) {
      for (const page of PAGES) localStorage.setItem(themeKey(page), JSON.stringify(chosen));
      location.reload();
    }
    const now = JSON.parse(localStorage.getItem(themeKey(""))) ?? "System";
    // For what lies outside of Streamlit's own element: menus and dialogs.
    document.documentElement.style.colorScheme = { Light: "light", Dark: "dark" }[now] ?? "";
    document.querySelectorAll(".studio-theme button").forEach(
      (button) => button.setAttribute("aria-pressed", button.dataset.theme === now));
  } catch { /* a browser that keeps nothing follows the system */ }
}

// Streamlit draws what a popover shows at the end of the page. Tab leads into it from its button, and on from there.
const opener = () => [...document.querySelectorAll("[data-testid=stPopoverButton][aria-expanded=true]")].at(-1);

function throughPopover(event) {
  const body = event.key === "Tab" && document.querySelector("[data-testid=stPopoverBody]"), button = body && opener();
  if (!button) return;
  const stops = [...body.querySelectorAll("a[href], button, input, textarea, summary, [tabindex]")]
    .filter((each) => each.tabIndex >= 0 && !each.disabled && each.offsetParent);
  const edge = event.shiftKey ? stops[0] : stops.at(-1);
  if (event.target === button && !event.shiftKey && edge) stops[0].focus();
  else if (event.target === edge) button.focus();
  if (document.activeElement !== event.target && (event.target === button || event.shiftKey)) event.preventDefault();
}

// A choice that closes a popover takes away what had the focus.
function afterPopover(event) {
  const body = event.target.closest?.("[data-testid=stPopoverBody]"), button = body && opener();
  const look = (tries) => {
    if (body.isConnected) tries && setTimeout(look, 100, tries - 1);
    else if (document.activeElement === document.body) button.focus();
  };
  if (button) look(30);
}

// A link in a note at the edge of the page leads on within the session, and not to a tab of its own. One to the page
// that is open changes the address: Streamlit takes over its parameters and leaves the address as it was (seen with
// 1.67, no issue known). Not those to the first page, whose name is empty: read from the page that is open, they would
// lead to it.
function withinSession(event) {
  const link = event.target.closest?.("[data-testid=stToast] a[href], a[data-testid=stPageLink-NavLink]:not([href=''], [href^='?'])");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const to = new URL(link.href), isNote = link.closest("[data-testid=stToast]");
  if (to.origin !== location.origin || !(isNote || to.pathname === location.pathname)) return;
  event.preventDefault();
  event.stopPropagation();
  if (to.href !== location.href) history.pushState({}, "", to.href);
  dispatchEvent(new PopStateEvent("popstate", { state: {} })); // Streamlit goes where the address leads
  document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
}

// A letter is no shortcut while the server is away, nor after a text field has lost the focus because it was disabled
// or removed, until the next press or Tab: somebody is typing.
function shortcuts() {
  let field = null; // in which somebody types
  const listen = (name, act) => addEventListener(name, act, true);
  const typing = (event) => {
    const [at] = event.composedPath();
    field = at.matches("textarea, [type=text], [type=search], [type=number]") ? at : null;
  };
  listen("focusin", typing);
  listen("input", typing);
  listen("pointerdown", () => { field = null; });
  listen("focusout", () => {
    const left = field;
    queueMicrotask(() => {
      if (left === field && left?.isConnected && !left.disabled && !left.matches(":focus")) field = null;
    });
  });
  window.studioIsTyped = (event) => {
    const { key } = event;
    if (["Tab", "Enter", "Escape"].includes(key)) field = null;
    if (key.length > 1 || event.ctrlKey || event.metaKey || event.altKey) return false;
    return !event.composedPath()[0].closest?.("input, textarea, dialog") && Boolean(field || studioIsAway());
  };
}

function once() {
  if (window.__studioBar) return;
  window.__studioBar = true;
  shortcuts();
  clipboard();
  document.addEventListener("keydown", throughPopover);
  document.addEventListener("click", afterPopover, true);
  document.addEventListener("click", offerNotifications);
  document.addEventListener("click", theme);
  document.addEventListener("click", withinSession, true); // before Streamlit
  document.addEventListener("focusin", theme); // so when the menu opens
  focusForms();
}

// Streamlit leaves the focus on the cross of a dialog. In one with a form it belongs into the first field.
function focusForms() {
  new MutationObserver(() => {
    const form = document.querySelector("[role=dialog] [data-testid=stForm]");
    if (!form || form.dataset.focused || !matchMedia("(hover: hover)").matches) return;
    const field = form.querySelector("textarea, input[type=text]");
    if (!field) return;
    form.dataset.focused = "yes";
    setTimeout(() => field.focus(), 100); // after the dialog has taken the focus itself
  }).observe(document.body, { childList: true, subtree: true });
}

export default function ({ parentElement }) {
  once();
  theme();
  if (!parentElement.querySelector("dialog")) parentElement.append(document.createRange().createContextualFragment(KEYS));
  const bar = parentElement.closest(".st-key-bar"), dialog = parentElement.querySelector("dialog");
  const open = Number(parentElement.closest('[class*="st-key-app-bar-"]').className.match(/st-key-app-bar-(\d+)/)[1]);
  const watch = new MutationObserver(() => mark(bar, open));
  watch.observe(bar, { childList: true, subtree: true }); // links are drawn after this
  mark(bar, open);

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

// Half of a pair of surrogates has no UTF-8: Streamlit could not read the message that holds it, and no run would come.
addEventListener("input", ({ target }) => {
  if (target.value?.isWellFormed?.() ?? true) return;
  const { set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(target), "value"); // React takes it for typed
  set.call(target, target.value.toWellFormed());
}, true);
