
// Keys and tools of the fields, which need no run of the page; and the one thing in a text that the button says.
const ALTERNATIVES = /(?<!\\)\{(?:[^{}|\\]|\\.)*\|/s; // as `has_alternatives` in Python
const MOST = 1e9; // as in template_language.py
// How many texts a text stands for: `{a|b}` are two, also inside of others; `{name}` is one. 0 for open braces.
function versions(text) {
  const groups = [];
  let now = { sum: 0, product: 1 };
  for (const [token] of text.matchAll(/\\[{}|\\]|[{}|]/g)) {
    if (token === "{") [now] = [{ sum: 0, product: 1 }, groups.push(now)];
    else if (token === "|" && groups.length) now = { sum: now.sum + now.product, product: 1 };
    else if (token === "}") {
      if (!groups.length) return 0;
      const count = now.sum + now.product;
      now = groups.pop();
      now.product = Math.min(now.product * count, MOST);
    }
  }
  return groups.length ? 0 : now.product;
}
const versionsOf = (text) => (ALTERNATIVES.test(text) ? versions(text) : 1);
function sayVersions(text) {
  const shown = document.querySelector("[data-videos]");
  if (!shown) return;
  const number = versionsOf(text);
  const words = number > 1 ? `Variations · ${number.toLocaleString("en")} clips` : "Variations";
  if (shown.textContent !== words) shown.textContent = words;
}
// The button follows the number of versions while somebody types: Streamlit is told that the field was left, as it
// would be on the way to the button, but the focus and the caret stay. Open braces are no number yet.
const TELL_AFTER = 700; // milliseconds without a key
const told = { number: 1, isTyped: false, timer: null }; // of the field that has the focus
function tellVersions(field) {
  clearTimeout(told.timer);
  told.isTyped = true;
  const number = versionsOf(field.value);
  if (!number || number === told.number) return;
  told.timer = setTimeout(() => {
    if (field !== document.activeElement) return;
    Object.assign(told, { number, isTyped: false });
    tell(field);
  }, TELL_AFTER);
}
// Before somebody types in it a field shows what the server has.
function noteVersions() {
  const field = document.activeElement;
  if (!told.isTyped && field?.matches("textarea") && fieldOf(field)) told.number = versionsOf(field.value);
}
// Typed as by hand, so that Ctrl+Z takes it back and the field's own script hears of it.
function vary() {
  const field = inputOf("prompt");
  if (!field) return;
  field.focus();
  const from = field.selectionStart, to = field.selectionEnd;
  const chosen = field.value.slice(from, to).trim() || "first choice", other = "another choice";
  const before = field.value.slice(from, to).match(/^\s*/)[0], after = field.value.slice(from, to).match(/\s*$/)[0];
  document.execCommand("insertText", false, `${before}{${chosen}|${other}}${after}`);
  const end = field.selectionEnd - after.length - 1;
  field.setSelectionRange(end - other.length, end); // to be typed over
}
// What is to be written before something can be ordered.
const firstEmpty = () =>
  [...document.querySelectorAll('[class*="st-key-composer-"] textarea')]
    .filter((field) => /^(prompt|shot_\d)/.test(fieldOf(field) ?? ""))
    .find((field) => !field.value.trim());
const press = (name, number) => {
  const button = document.querySelector(`.st-key-composer-${name}_shot_${number} button`);
  if (!button || button.disabled) return false;
  document.activeElement?.blur(); // Streamlit learns of a text when its field is left
  button.click();
  return true;
};
// The shot that has the focus, or had it last, has tools, and its part of the bar of the cut is marked. While the
// pointer is down nothing of that changes: what is being clicked on would move away from it.
let isDown = false, nowShot = "";
function markShot() {
  if (isDown) return;
  const shot = document.activeElement?.closest?.('[class*="st-key-shot-"]');
  nowShot = shot?.className.match(/st-key-shot-(\d)/)?.[1] ?? nowShot;
  for (const each of document.querySelectorAll('[data-part], [class*="st-key-shot-"]')) {
    const number = each.dataset.part ?? each.className.match(/st-key-shot-(\d)/)?.[1];
    each.toggleAttribute("data-now", number === nowShot);
  }
}
let comesNext = null; // number of the shot that gets the focus once the page has drawn them anew, until the next press
function keysOfShots(event) {
  const number = Number(/^shot_(\d)/.exec(fieldOf(event.target) ?? "")?.[1]);
  if (!number || event.ctrlKey || event.metaKey) return;
  let to = null;
  if (event.altKey && event.key === "ArrowUp") to = press("earlier", number) && number - 1;
  else if (event.altKey && event.key === "ArrowDown") to = press("later", number) && number + 1;
  else if (event.key === "Delete" && !event.target.value) to = press("remove", number) && Math.max(number - 1, 1);
  else return;
  event.preventDefault();
  if (to) comesNext = to;
}
// Tooltips of buttons that are icons, some of them only on narrow screens. Streamlit's own would double each button.
const TITLES = {
  tool_recent: "Recent: what you ordered. Alt+↑ in the prompt goes through it too",
  tool_templates: "Templates",
  earlier_shot: "Earlier (Alt+↑)",
  later_shot: "Later (Alt+↓)",
  remove_shot: "Remove",
};
const SHEET = '.st-key-panels > [data-testid="stLayoutWrapper"]'; // a press on it is one beside what lies in it
let seenPanel = "";
// A panel that has just been opened, or has got its preview, comes into view as far as there is room for it.
function showOpenPanel() {
  const panel = document.querySelector('[class*="st-key-panel-"]');
  const name = panel?.className.match(/st-key-panel-(\w+)/)[1] ?? "";
  const seen = panel?.querySelector("video") ? `${name} with its preview` : name;
  if (name && seen !== seenPanel) {
    const button = document.querySelector(`.st-key-composer-panel_${name}`);
    const end = document.querySelector(".st-key-pinned")?.getBoundingClientRect().top ?? innerHeight;
    if (panel.getBoundingClientRect().bottom > end) button?.scrollIntoView({ block: "start" });
  }
  seenPanel = seen;
}
function pageIsDrawn() {
  for (const name in TITLES) {
    for (const button of document.querySelectorAll(`[class*="st-key-composer-${name}"] button`)) {
      if (button.title !== TITLES[name]) button.title = TITLES[name];
    }
  }
  for (const button of document.querySelectorAll('[class*="st-key-composer-panel_"] button')) {
    const name = button.closest('[class*="st-key-composer-panel_"]').className.match(/panel_(\w+)/)[1];
    button.setAttribute("aria-expanded", String(!!document.querySelector(`.st-key-panel-${name}`)));
    button.toggleAttribute("data-set", !!button.querySelector("strong"));
  }
  showOpenPanel();
  markShot();
  sayVersions(inputOf("prompt")?.value ?? "");
  noteVersions();
  // Streamlit may put another field in the place of the one that has the focus, also after this look.
  const isLost = document.activeElement === document.body;
  if (comesNext && isLost) document.querySelector(`.st-key-shot-${comesNext} textarea`)?.focus();
}
function fields() {
  if (window.__studioFields) return;
  window.__studioFields = true;
  document.addEventListener("pointerdown", (event) => {
    if (event.target.closest("[data-vary]")) event.preventDefault(); // the field keeps focus and selection
  }, true);
  keepFields();
  document.addEventListener("click", (event) => {
    const { target } = event, order = target.closest(ORDERS);
    if (order && !takePress(order)) event.stopImmediatePropagation();
    else if (target.closest("[data-vary]")) vary();
    else if (target.matches(SHEET)) target.querySelector(":scope > * > :last-child button")?.click();
    else if (order?.matches(ORDER)) firstEmpty()?.focus();
  }, true);
  document.addEventListener("keydown", (event) => {
    comesNext = null;
    const orders = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (orders) firstEmpty()?.focus(); // autosave.js lets the keys through where they order
    else keysOfShots(event);
  });
  document.addEventListener("input", ({ target }) => {
    const name = fieldOf(target);
    if (name === "prompt") sayVersions(target.value);
    if (name && target.tagName === "TEXTAREA") tellVersions(target);
  }, true);
  document.addEventListener("focusin", ({ isTrusted }) => {
    markShot();
    if (isTrusted) told.isTyped = false; // what was typed elsewhere has been left
    noteVersions();
  });
  document.addEventListener("pointerdown", () => ([isDown, comesNext] = [true, null]), true);
  for (const name of ["pointerup", "pointercancel"]) {
    addEventListener(name, () => {
      isDown = false;
      setTimeout(markShot);
    }, true);
  }
  const app = document.querySelector("[data-testid=stApp]");
  const later = [];
  new MutationObserver(() => {
    if (app.dataset.testScriptState !== "notRunning") return;
    pageIsDrawn();
    for (const timer of later.splice(0)) clearTimeout(timer);
    for (const after of [150, 800, 3000]) later.push(setTimeout(pageIsDrawn, after)); // a busy browser draws later
    later.push(setTimeout(tellLeft, 800));
  }).observe(app, { attributes: true, attributeFilter: ["data-test-script-state"] });
}
