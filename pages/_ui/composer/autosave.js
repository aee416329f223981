const PATH = __PATH__, SAVE_AFTER = __SAVE_AFTER__;
const field = (element) =>
  element.closest?.('[class*="st-key-draft_"]')?.className.match(/st-key-draft_(\w+)/)?.[1];
const box = (name) => document.querySelector(`.st-key-draft_${name} :is(textarea, input)`);
function autosave() {
  if (window.__studioAutosave) return window.__studioAutosave;
  const autosave = { id: null, texts: {}, timer: null, saving: null, walk: null };
  // One after the other, and always what the field shows by now: an older text never comes after a newer one.
  const save = async () => {
    clearTimeout(autosave.timer);
    const { id, texts } = autosave;
    if (autosave.saving || !Object.keys(texts).length) return;
    for (const name in texts) texts[name] = box(name)?.value ?? texts[name];
    autosave.texts = {};
    let done;
    autosave.saving = new Promise((resolve) => (done = resolve));
    const body = JSON.stringify(texts), headers = { "Content-Type": "application/json" };
    const answer = await fetch(PATH + id, { method: "PUT", body, headers, keepalive: body.length < 60000 })
      .catch(() => null);
    const refusal = answer && !answer.ok ? await answer.text().catch(() => "") : "";
    autosave.saving = null;
    done();
    if (autosave.id !== id) return save();
    if (answer) say(refusal);
    const more = Object.keys(autosave.texts).length > 0;
    if (!answer?.ok) autosave.texts = { ...texts, ...autosave.texts }; // refused texts go with the next change
    if (!answer || answer.status >= 500) { // the server, its disk or its database is away: try again
      autosave.timer = setTimeout(save, 2000);
    } else if (more) save();
  };
  // The note is no element of Streamlit's: it would lose its text when the page is drawn again.
  const say = (words) => {
    let note = document.querySelector(".studio-unkept");
    if (!note && !words) return;
    if (!note) {
      note = Object.assign(document.createElement("div"), { className: "studio-unkept", role: "status" });
      document.body.append(note);
    }
    note.textContent = words;
    note.hidden = !words;
  };
  const count = (name) => {
    const text = box(name), shown = document.querySelector(`[data-count="${name}"]`);
    if (!text || !shown) return;
    const length = [...text.value].length, limit = Number(shown.dataset.limit), over = length - limit;
    const say = (number) => number.toLocaleString("en");
    shown.textContent = say(length) + " / " + say(limit) + (over > 0 ? ": shorten it by " + say(over) : "");
    shown.dataset.over = over > 0;
  };
  document.addEventListener("input", ({ target }) => {
    const name = field(target);
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
  // Under every text area Streamlit says that Ctrl+Enter applies it. Where one types, it orders from the prompts
  // only, and where a list is open not at all: the choice would come after the order.
  window.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    const { target } = event, open = target.matches('[role=combobox][aria-expanded=true]');
    const typing = target.matches("textarea, input:not([type=checkbox], [type=radio], [type=range], [role=combobox])");
    const orders = /^((negative_)?prompt|shot_\d)$/.test(field(target) ?? "");
    if (!document.querySelector('[role="dialog"]') && (orders || !typing) && !open) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (typing) { target.blur(); target.focus(); }
  }, true);
  document.addEventListener("keydown", (event) => {
    const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!step || !event.altKey || event.ctrlKey || event.metaKey || field(event.target) !== "prompt") return;
    event.preventDefault();
    const box = event.target, text = box.value, at = Date.now();
    delete autosave.texts.prompt; // Streamlit is told of it now, and must not hear of it again after the answer
    const walk = () => {
      box.blur(); // it replaces no text that it has not been told of
      box.focus();
      autosave.walk?.({ step, text, at });
    };
    // A text that is still on its way would be kept in place of the one that is walked to.
    if (autosave.saving) autosave.saving.then(walk);
    else walk();
  }, true);
  // What was typed before this script was there is a change like any other.
  setTimeout(() => {
    const text = document.activeElement;
    if (field(text)) text.dispatchEvent(new Event("input", { bubbles: true }));
  }, 300);
  for (const name of ["pagehide", "visibilitychange"]) window.addEventListener(name, save, true);
  return (window.__studioAutosave = autosave);
}
export default function ({ setTriggerValue }) {
  const here = autosave();
  // A trigger is lost when two fall into one batch of Streamlit's: ask until the page says that it went.
  here.walk = (step, tries = 8) => {
    clearTimeout(here.again);
    setTriggerValue("walk", step);
    here.again = setTimeout(() => {
      const page = document.querySelector("[data-draft]");
      if (page && tries && page.dataset.walked !== String(step.at)) here.walk(step, tries - 1);
    }, 700);
  };
  const place = () => {
    const id = document.querySelector("[data-draft]")?.dataset.draft, url = new URL(location.href);
    if (!id || url.searchParams.get("draft") === id) return;
    url.search = "?draft=" + id; // replaced, not added: the way back leads out of the page
    history.replaceState(history.state, "", url);
  };
  place();
  const timer = setInterval(place, 500);
  return () => clearInterval(timer);
}
