const TWICE = "This draft is open in another tab too: of two texts, the one typed last is kept.";
const PATH = __PATH__, SAVE_AFTER = __SAVE_AFTER__; // milliseconds
// The name of the draft's text field that an element belongs to. Streamlit makes classes of session keys, with a
// hyphen for a dot: `shot_1.2` is the first shot after two rearrangements.
const FIELD = /st-key-composer-(__TEXTS__)(?!\S)/;
const fieldOf = (element) =>
  element.closest?.('[class*="st-key-composer-"]')?.className.match(FIELD)?.[1].replace("-", ".");
const inputOf = (name) =>
  document.querySelector(`.st-key-composer-${name.replace(".", "-")} :is(textarea, input)`);

// What the server may not have yet, when the page goes: it stays in this tab, and comes back to the same owner. So
// do the words of somebody whose session ended while they typed.
const KEPT = "studio_kept";
const pageOf = () => document.querySelector("[data-draft]");
function keep(id, texts) {
  const owner = pageOf()?.dataset.owner;
  if (id && owner) sessionStorage.setItem(KEPT, JSON.stringify({ id, owner, texts }));
}
async function giveBack(put) {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null"), page = pageOf();
  if (!kept || !page || kept.owner !== page.dataset.owner) return;
  const names = Object.keys(kept.texts), isHere = kept.id === page.dataset.draft;
  const isThere = isHere && names.every((name) => inputOf(name)?.value === kept.texts[name]);
  const answer = names.length && !isThere ? await put(kept.id, kept.texts).catch(() => null) : { ok: true };
  if (!answer?.ok && !isHere) return; // it stays in this tab
  if (!answer?.ok && !names.every(inputOf)) return setTimeout(giveBack, 1000, put); // the fields are still to come
  sessionStorage.removeItem(KEPT);
  if (!answer?.ok) for (const name of names) write(inputOf(name), kept.texts[name]); // where storing it goes on
  else if (!isThere) location.search = "?draft=" + kept.id;
}

// Put a text into a field as if it was typed there; Streamlit hears of it when the field is left.
function write(field, text) {
  if (!field) return;
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value").set.call(field, text);
  for (const name of ["input", "focusout"]) field.dispatchEvent(new Event(name, { bubbles: true }));
}

// One for each tab: it outlives the component, which Streamlit mounts again and again.
function autosave() {
  if (window.__studioAutosave) return window.__studioAutosave;
  const autosave = { id: null, texts: {}, sent: {}, timer: null, saving: null, walk: null };
  const put = (id, texts) => {
    const body = JSON.stringify(texts), headers = { "Content-Type": "application/json" };
    return fetch(PATH + id, { method: "PUT", body, headers, keepalive: body.length < 60000 });
  };
  // One request at a time, each with what the fields show by then: an older text never arrives after a newer one.
  const save = async () => {
    clearTimeout(autosave.timer);
    const { id, texts } = autosave;
    if (autosave.saving || !Object.keys(texts).length) return;
    for (const name in texts) texts[name] = inputOf(name)?.value ?? texts[name];
    [autosave.texts, autosave.sent] = [{}, texts];
    let done;
    autosave.saving = new Promise((resolve) => (done = resolve));
    const answer = await put(id, texts).catch(() => null);
    const refusal = answer && !answer.ok ? await answer.text().catch(() => "") : "";
    [autosave.saving, autosave.sent] = [null, {}];
    done();
    if (autosave.id !== id) return save();
    if (answer) say("refusal", refusal);
    const more = Object.keys(autosave.texts).length > 0;
    if (!answer?.ok) autosave.texts = { ...texts, ...autosave.texts }; // refused texts go with the next change
    if (!answer) for (const name in texts) hold(inputOf(name));
    if (!answer || answer.status >= 500) { // the server, its disk or its database does not answer: try again
      autosave.timer = setTimeout(save, 2000);
    } else if (more) save();
  };
  // The note is no element of Streamlit's: it would lose its text when the page is drawn again.
  const note = document.createElement("div"), said = {};
  Object.assign(note, { className: "studio-unkept", role: "status", hidden: true });
  const say = autosave.say = (of, words) => {
    said[of] = words;
    note.textContent = Object.values(said).filter(Boolean).join(" ");
    note.hidden = !note.textContent;
  };
  document.body.append(note);
  // Tabs of one draft overwrite each other's text, so both say so for as long as there are two.
  const tabs = new BroadcastChannel("studio_draft");
  const post = (is) => autosave.open && tabs.postMessage({ id: autosave.open, is });
  tabs.onmessage = ({ data: { id, is } }) => {
    if (id !== autosave.open) return;
    say("twice", is === "left" ? "" : TWICE);
    if (is !== "there") post(is === "left" ? "opened" : "there");
  };
  autosave.opened = (id) => {
    if (id === autosave.open) return;
    post("left");
    autosave.open = id;
    say("twice", "");
    post("opened");
  };
  addEventListener("pagehide", () => autosave.opened(""));
  const count = (name) => {
    const text = inputOf(name), shown = document.querySelector(`[data-count="${name.split(".")[0]}"]`);
    if (!text || !shown) return;
    const length = [...text.value].length, limit = Number(shown.dataset.limit), over = length - limit;
    const say = (number) => number.toLocaleString("en");
    shown.textContent = say(length) + " / " + say(limit) + (over > 0 ? ": shorten it by " + say(over) : "");
    shown.dataset.over = over > 0;
  };
  document.addEventListener("input", ({ target }) => {
    const name = fieldOf(target);
    if (!name || (target.tagName !== "TEXTAREA" && target.type !== "text")) return;
    count(name);
    const id = document.querySelector("[data-draft]")?.dataset.draft;
    if (!id) return; // the draft of this address could not be read, and the page says so
    if (id !== autosave.id) save();
    autosave.id = id;
    autosave.texts[name] = target.value;
    clearTimeout(autosave.timer);
    autosave.timer = setTimeout(save, SAVE_AFTER);
  }, true);
  // Ctrl+Enter is the shortcut of Generate, and in every text area Streamlit's key to apply the text. From a text
  // field it orders in the prompts only; elsewhere it applies the text. While a list of choices is open it does
  // nothing, because the choice would reach the server after the order. Nothing is ordered from behind a dialog, nor
  // from the assistant's panel, whose answer has not been taken yet.
  const DIALOG = '[role="dialog"], dialog[open]';
  const isBehind = (event) => document.querySelector(DIALOG) || event.composedPath().some((each) => each.matches?.(DIALOG + ', [role="menu"]'));
  window.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    const { target } = event, open = target.matches('[role=combobox][aria-expanded=true]');
    const typing = target.matches("textarea, input:not([type=checkbox], [type=radio], [type=range], [role=combobox])");
    const orders = /^((negative_)?prompt|shot_\d(\.\d+)?)$/.test(fieldOf(target) ?? "");
    if (!isBehind(event) && (orders || !typing) && !open && takePress(document.querySelector(ORDER))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (typing) { target.blur(); target.focus(); }
  }, true);
  document.addEventListener("keydown", (event) => {
    const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!step || !event.altKey || event.ctrlKey || event.metaKey || fieldOf(event.target) !== "prompt") return;
    event.preventDefault();
    const box = event.target, text = box.value, at = Date.now();
    delete autosave.texts.prompt; // it is sent through Streamlit now; stored later it would replace the answer
    const walk = () => {
      box.blur(); // Streamlit replaces only a text that it knows, and it learns of it when the field is left
      box.focus();
      autosave.walk?.({ step, text, at });
    };
    // A text that is still on its way would be stored in place of the one that is walked to.
    if (autosave.saving) autosave.saving.then(walk);
    else walk();
  }, true);
  // Text that was typed before this script was loaded is stored too.
  setTimeout(() => {
    const text = document.activeElement;
    if (fieldOf(text)) text.dispatchEvent(new Event("input", { bubbles: true }));
  }, 300);
  window.addEventListener("pagehide", () => {
    const texts = { ...autosave.sent, ...autosave.texts };
    if (Object.keys(texts).length) keep(autosave.id, texts);
  }, true);
  document.addEventListener("submit", () => { // a form of HTML signs out
    keep(pageOf()?.dataset.draft, { ...autosave.sent, ...autosave.texts });
  }, true);
  for (const name of ["pagehide", "visibilitychange"]) window.addEventListener(name, save, true);
  giveBack(put);
  return (window.__studioAutosave = autosave);
}
export default function ({ setTriggerValue }) {
  const tab = autosave();
  fields();
  // Streamlit 1.67 runs one fragment only for what falls into one batch (github.com/streamlit/streamlit/pull/12747):
  // repeat until the page shows the answer.
  tab.walk = (step, tries = 8) => {
    clearTimeout(tab.again);
    setTriggerValue("walk", step);
    tab.again = setTimeout(() => {
      const page = document.querySelector("[data-draft]");
      if (page && tries && page.dataset.walked !== String(step.at)) tab.walk(step, tries - 1);
    }, 700);
  };
  const showAddress = () => {
    const { draft: id, at } = document.querySelector("[data-draft]")?.dataset ?? {}, url = new URL(location.href);
    // After Back the form stands there for a moment, and the address is of another page.
    tab.opened(id);
    if (!id || ![at, `${at}compose`].includes(url.pathname) || url.searchParams.get("draft") === id) return;
    url.search = "?draft=" + id; // replaces the entry in the history: the back button leaves the page
    history.replaceState(history.state, "", url);
  };
  showAddress();
  const timer = setInterval(showAddress, 500);
  return () => {
    clearInterval(timer);
    setTimeout(() => pageOf() || tab.opened(""), 500); // it is mounted anew, or another page is open
  };
}
