// The field Search. Letters that are typed replace the address in the browser's history, Enter adds one entry to it, so
// that Back leads from one search to the one before. What was looked for last is offered by the field itself.
const FIELD = ".st-key-library_search input";
const MOST = 8;
const TRIES = 40; // in a row, 50 ms from each other

const without = (url, names) => {
  const left = new URLSearchParams(url.search);
  names.forEach((name) => left.delete(name));
  left.sort();
  return url.pathname + "?" + left;
};

// Streamlit adds an entry for each change that the server makes to the address. Where only the words that are looked
// for have changed, and with them the page of what is found, the entry is replaced.
function replaceWhileTyping() {
  const push = history.pushState;
  history.pushState = function (state, title, to) {
    const now = new URL(location.href);
    const next = new URL(to ?? now, now);
    const hasOtherWords = now.searchParams.get("q") !== next.searchParams.get("q") &&
      without(now, ["q", "page"]) === without(next, ["q", "page"]);
    const isTyping = hasOtherWords && document.activeElement?.matches(FIELD);
    return (isTyping ? history.replaceState : push).call(history, state, title, to);
  };
  return push;
}

const words = (text) => text.trim().replace(/\s+/g, " ");

function read(key) {
  try {
    const known = JSON.parse(localStorage.getItem(key));
    return Array.isArray(known) ? known.filter((each) => typeof each === "string") : [];
  } catch {
    return []; // nothing is kept, or something else
  }
}

function keep(field, text) {
  const key = field.dataset.recent;
  if (!key || words(text).length < 2) return;
  const all = [words(text), ...read(key).filter((each) => each !== words(text))].slice(0, MOST);
  try {
    localStorage.setItem(key, JSON.stringify(all));
  } catch { /* a browser that keeps nothing */ }
  offer(field);
}

// The list that the browser offers below the field.
function offer(field) {
  const told = document.querySelector("[data-recent-of]");
  const list = document.getElementById("library-recent");
  if (!told || !list) return;
  field.dataset.recent = "studio.searches." + told.dataset.recentOf;
  list.replaceChildren(...read(field.dataset.recent).map((each) => {
    const option = document.createElement("option");
    option.value = each;
    return option;
  }));
  field.setAttribute("list", list.id);
}

function once() {
  if (window.__studioSearch) return;
  window.__studioSearch = true;
  const push = replaceWhileTyping();
  let before = location.href; // the address when the search began
  const list = document.createElement("datalist");
  list.id = "library-recent";
  document.body.append(list);

  // The server may still be at work on the last letters when Enter is pressed.
  const add = (text, tries) => {
    const now = location.href;
    if (words(new URL(now).searchParams.get("q") ?? "") !== text) {
      if (tries) setTimeout(add, 50, text, tries - 1);
    } else if (now !== before) {
      history.replaceState(history.state, "", before);
      push.call(history, {}, "", now);
      before = now;
    }
  };
  document.addEventListener("focusin", ({ target }) => {
    if (!target.matches?.(FIELD)) return;
    before = location.href;
    offer(target);
  });
  document.addEventListener("change", ({ target }) => {
    if (target.matches?.(FIELD)) keep(target, target.value);
  });
  document.addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (target.matches?.(FIELD)) {
      if (key === "Enter" && !event.isComposing) {
        keep(target, target.value);
        add(words(target.value), TRIES);
      }
    } else if (key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey &&
      !target.closest?.("input, textarea, select, dialog, [contenteditable=true], [role=dialog]")) {
      const field = document.querySelector(FIELD);
      if (!field) return;
      event.preventDefault();
      field.focus();
      field.select();
    }
  });
  // A chip that is taken back had the focus.
  document.addEventListener("click", ({ target }) => {
    const chip = target.closest?.(".st-key-library_chips [class*=st-key-chip-]"), button = target.closest?.(".stButton");
    if (!chip || !button) return;
    const look = (tries) => {
      if (button.isConnected) tries && setTimeout(look, 100, tries - 1);
      else if (document.activeElement === document.body) (chip.querySelector("button") ?? document.querySelector(FIELD)).focus();
    };
    look(TRIES);
  });
  window.addEventListener("popstate", () => { before = location.href; });
}

export default function () {
  once();
}
