// The prompt assistant: a menu under the prompt, and a panel that shows an answer as it comes. What a model says is
// put on the page as text only. Nothing is sent without a press, and the form changes by "Take it" and "Insert below"
// alone, which go to Python like any other press.
const PATH = __PATH__, SHEET = new CSSStyleSheet();
SHEET.replaceSync(__CSS__);
const FORM = "composer-assistant"; // the key of the form's menu, as a class has it
const INSTRUCTIONS = {
  improve: ["Improve", "Adds what is missing"],
  shorter: ["Shorter", "About half as long"],
  english: ["In English", "Translated, nothing else"],
  vary: ["Three variations", "As rows of a table"],
  storyboard: ["As a storyboard", "Divided into shots"],
  soften: ["Soften", ""],
};
const AWAY = "The studio does not answer now. Try again in a moment.";
const ON_PROMPT_ONLY = ["vary", "storyboard"]; // not for what is a storyboard already

function make(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(options))
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "text") element.textContent = value;
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  element.append(...children.filter(Boolean));
  return element;
}
const icon = (name) => make("span", { class: "icon", "aria-hidden": "true", text: name });
const button = (words, press, { icon: name, ...options } = {}) =>
  make("button", { type: "button", ...options, onclick: press }, name && icon(name), words);

const facts = () => JSON.parse(document.querySelector("[data-assistant]")?.dataset.assistant ?? "{}");
const promptField = () => document.querySelector(".st-key-composer-prompt textarea");
// The number of the last press that Python has dealt with.
const answered = () => Math.max(0, facts().answered ?? 0,
  ...[...document.querySelectorAll("[data-soften]")].map((each) => Number(each.dataset.answered)));
function shotsOfForm() {
  const of = (name) => [...document.querySelectorAll(`[class*="st-key-composer-${name}_"] :is(textarea, input)`)];
  const seconds = of("seconds");
  return of("shot").map((field, index) => ({ prompt: field.value, duration: seconds[index]?.value ?? "1" }));
}

// One panel for each tab. It outlives the components, which Streamlit mounts again and again.
function tab() {
  if (window.__studioAssistant) return window.__studioAssistant;
  const host = make("div", { "data-live-announcer": "true" }), root = host.attachShadow({ mode: "open" });
  const status = make("div", { class: "unseen", role: "status" });
  const panel = make("div", { class: "panel", popover: "manual", role: "dialog" });
  root.adoptedStyleSheets = [SHEET];
  root.append(status, panel);
  document.body.append(host);
  const tab = { host, panel, status, mounts: new Map(), run: null };
  const place = () => tab.run && panel.matches(":popover-open") && moveTo(tab);
  for (const name of ["resize", "scroll"]) window.addEventListener(name, place, { capture: true, passive: true });
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave(tab);
    if (event.key === "Tab") aroundTheEnds(tab, event);
  });
  return (window.__studioAssistant = tab);
}

// The panel is the last thing of the document: Tab leads from its ends to the menu that has opened it, and back.
function aroundTheEnds({ panel, run }, event) {
  const all = [...panel.querySelectorAll("button")], at = all.indexOf(event.target);
  if (event.shiftKey ? at > 0 : at < all.length - 1) return;
  event.preventDefault();
  run.opener()?.focus();
}

function moveTo({ host, panel, run }) {
  const app = document.querySelector('[data-testid="stApp"]');
  host.style.colorScheme = app ? getComputedStyle(app).colorScheme : "";
  if (innerWidth <= 640) return panel.removeAttribute("style"); // a sheet at the bottom
  const near = run.opener()?.getBoundingClientRect();
  if (!near?.width) return; // Streamlit is mounting it again
  const box = (!run.job && document.querySelector(".st-key-prompt_box, .st-key-board")?.getBoundingClientRect()) || near;
  const width = Math.min(Math.max(box.width, run.job ? 420 : 320), 560, innerWidth - 16);
  const left = Math.min(Math.max(box.left, 8), innerWidth - width - 8);
  const top = Math.max(8, Math.min(near.bottom + 6, innerHeight - 360));
  Object.assign(panel.style, { left: left + "px", top: top + "px", width: width + "px" });
  panel.style.maxHeight = innerHeight - top - 12 + "px";
}

function draw(tab, { status, body = [], notes = [], actions = [], isBad = false, announce }) {
  const { panel, run } = tab, hadFocus = panel.contains(panel.getRootNode().activeElement);
  const title = INSTRUCTIONS[run.instruction][0];
  panel.setAttribute("aria-label", `Assistant: ${title}`);
  panel.replaceChildren(
    make("header", {}, icon("auto_fix_high"), make("b", { text: title }),
      button(icon("close"), () => leave(tab), { class: "close", "aria-label": "Leave it", title: "Leave it (Esc)" })),
    make("p", { class: isBad ? "bad" : "said", text: status }),
    ...body,
    notes.length ? make("ul", { class: "notes" }, ...notes.map((text) => make("li", { text }))) : "",
    make("div", { class: "actions" }, ...actions),
  );
  panel.inert = false;
  if (!panel.matches(":popover-open")) panel.showPopover();
  moveTo(tab);
  // Whoever writes in the form meanwhile is left alone.
  if (hadFocus || run.isNew) panel.querySelector(".actions button").focus({ preventScroll: true });
  run.isNew = false;
  if (announce) tab.status.textContent = announce;
}

function leave(tab) {
  const { run, panel } = tab, hadFocus = panel.contains(panel.getRootNode().activeElement);
  run?.stop?.abort();
  tab.run = null;
  tab.status.textContent = "";
  if (panel.matches(":popover-open")) panel.hidePopover();
  panel.replaceChildren();
  if (hadFocus) run?.opener()?.focus();
}

// Ask, and show what comes.
async function ask(tab, instruction, mount, job) {
  tab.run?.stop?.abort();
  const told = facts(), isBoard = Boolean(told.storyboard) && !job;
  const body = job ? { instruction, job } : { ...told, instruction, ...(isBoard ? { shots: shotsOfForm() } : { text: promptField()?.value ?? "" }) };
  const host = mount.host();
  const run = { instruction, mount: mount.key, job, isBoard, opener: () => mount.opener(), stop: new AbortController(), isNew: true };
  tab.run = run;
  const again = button("Ask again", () => ask(tab, instruction, mount, job), { icon: "refresh" });
  const close = button("Leave it", () => leave(tab));
  const fail = (why, words = "") => tab.run === run && draw(tab, {
    status: why, isBad: true, announce: `${why} ${words}`, actions: [again, close],
    body: words ? [make("blockquote", { dir: "auto", text: words })] : shown.textContent ? [make("div", { class: "text part", dir: "auto", text: shown.textContent })] : [],
  });
  const shown = make("div", { class: "text", dir: "auto", tabindex: "0", "aria-label": "Answer so far" });
  const isEmpty = isBoard ? body.shots.every(({ prompt }) => !prompt.trim()) : !job && !body.text.trim();
  if (isEmpty) return fail("There is no prompt yet: write a few words first. Nothing was sent.");
  draw(tab, {
    status: `Sent to ${host}. The answer comes …`, announce: `Sent to ${host}.`, body: [shown],
    actions: [button("Stop", () => {
      run.stop.abort();
      fail("Stopped.");
    }, { icon: "stop" })],
  });
  try {
    const answer = await fetch(PATH, {
      method: "POST", signal: run.stop.signal, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    if (!answer.ok || !/event-stream/.test(answer.headers.get("Content-Type"))) {
      const why = answer.ok || answer.status >= 500 || answer.status === 401 ? "" : (await answer.text()).slice(0, 300);
      return fail(why || "The studio could not ask. Load the page again, or try in a moment.");
    }
    for await (const event of eventsOf(answer.body)) {
      if (tab.run !== run) return;
      if (event.kind === "text") {
        const atEnd = shown.scrollTop + shown.clientHeight > shown.scrollHeight - 30;
        shown.append(event.text);
        if (atEnd) shown.scrollTop = shown.scrollHeight;
      } else if (event.kind === "failed") return fail(event.why, event.words);
      else return offer(tab, run, event, again);
    }
    fail("The answer was broken off. Try again.");
  } catch {
    if (!run.stop.signal.aborted) fail(AWAY);
  }
}

async function* eventsOf(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) if (event.startsWith("data: ")) yield JSON.parse(event.slice(6));
  }
}

// Show what can be taken, and why that failed.
function offer(tab, run, answer, again, why) {
  const take = (taken, done = "take") => send(tab, run, done, taken, (why) => offer(tab, run, answer, again, why));
  const isMany = answer.alternatives.length > 0, isNewBoard = answer.shots.length > 0 && !run.isBoard && !run.job;
  const actions = [], body = [];
  let status = answer.summary;
  if (isMany) {
    status = `${answer.alternatives.length} variations. Take all as a table, or one.`;
    body.push(make("ol", { class: "text" }, ...answer.alternatives.map((text, index) => make("li", { dir: "auto" },
      make("span", { text }),
      button("Only this", () => take({ text }), { class: "small", "aria-label": `Only variation ${index + 1}` })))));
  } else if (isNewBoard) {
    const total = answer.shots.reduce((sum, { duration }) => sum + Number(duration), 0);
    status = `${answer.shots.length} shots, ${total} s together.`;
    body.push(make("ol", { class: "text" }, ...answer.shots.map(({ prompt, duration }) => make("li", { dir: "auto" },
      make("span", { text: prompt }), make("small", { text: ` ${duration} s` })))));
  } else {
    const diff = make("div", { class: "text", dir: "auto", tabindex: "0", "aria-label": "Answer" });
    diff.append(...answer.pieces.map(([kind, text]) =>
      kind === "same" ? text : make(kind === "added" ? "ins" : "del", { text })));
    body.push(diff);
    actions.push(button("Only the new text", ({ currentTarget }) => {
      const isPlain = diff.classList.toggle("plain");
      currentTarget.setAttribute("aria-pressed", isPlain);
    }, { class: "quiet", "aria-pressed": "false" }));
  }
  actions.unshift(
    button(isMany ? `Take all ${answer.alternatives.length}` : "Take it", () => take(answer), { class: "main", icon: "check" }),
    !isMany && !answer.shots.length && !run.job && button("Insert below", () => take(answer, "below")),
    button("Leave it", () => leave(tab)),
  );
  const words = isMany ? answer.alternatives.join(". ") : isNewBoard ? answer.shots.map(({ prompt }) => prompt).join(". ") : answer.text;
  draw(tab, {
    status: why ?? status, isBad: why, body, notes: answer.notes, actions: [...actions.filter(Boolean), again],
    announce: why ?? `${INSTRUCTIONS[run.instruction][0]}: ${status} ${answer.notes.join(" ")} ${words}`,
  });
}

// Hand what was taken to Python, and close the panel once the page shows that it was heard. Streamlit 1.67 runs one
// fragment only for what falls into one batch (github.com/streamlit/streamlit/pull/12747), and nothing while the server
// is away: repeat for a while.
async function send(tab, run, done, { text = "", shots = [], alternatives = [], model = "" } = {}, fail) {
  const act = { do: done, at: Math.max(Date.now(), answered() + 1), text, shots, alternatives, model };
  const autosave = window.__studioAutosave;
  if (!fail) leave(tab);
  tab.run = run;
  tab.panel.inert = true;
  promptField()?.blur();
  // A text that is still on its way to the store would replace the one that is taken.
  if (autosave) delete autosave.texts.prompt;
  await autosave?.saving;
  for (let tries = 56; tries && answered() < act.at; tries--) {
    if (!(tries % 7))
      tab.mounts.get(run.mount)?.trigger("act", { ...act, run: document.querySelector("[data-run]")?.dataset.run ?? "" });
    await new Promise((go) => setTimeout(go, 100));
    if (tab.run !== run) return;
  }
  const isHeard = answered() >= act.at, isNowhere = document.activeElement === document.body;
  run.isNew = isNowhere;
  if (!isHeard && fail) return fail(AWAY);
  leave(tab);
  if (isNowhere) run.opener?.()?.focus();
  tab.status.textContent = !isHeard ? AWAY : fail ? "Taken. Undo brings the text before back." : "The text before is back.";
}

export default function ({ parentElement, setTriggerValue }) {
  const all = tab(), around = (parentElement.getRootNode().host ?? parentElement).closest?.('[class*="st-key-"]');
  const key = around?.className.match(/st-key-(\S+)/)?.[1] ?? FORM;
  const softens = () => around.closest('[class*="st-key-softens-"]')?.querySelector("[data-soften]")?.dataset;
  const mount = all.mounts.get(key) ?? { key };
  clearTimeout(mount.gone);
  all.mounts.set(key, Object.assign(mount, {
    trigger: setTriggerValue,
    opener: () => parentElement.querySelector("button"),
    host: () => (key === FORM ? facts().host : softens()?.host) ?? "the assistant’s server",
  }));
  parentElement.adoptedStyleSheets = [SHEET];
  if (!parentElement.querySelector("button"))
    parentElement.append(key === FORM ? menu(all, mount) : button(
      make("span", {}, "Soften ", make("small", { text: `at ${mount.host()}` })),
      () => ask(all, "soften", mount, softens()?.soften),
      { class: "soften", icon: "auto_fix_high", title: `Sends the prompt to ${mount.host()}` }));
  const look = () => {
    const undo = parentElement.querySelector(".undo");
    if (undo) undo.hidden = !facts().undo;
  };
  look();
  const timer = setInterval(look, 500);
  return () => {
    clearInterval(timer);
    // Streamlit mounts it again at once, unless the page was left.
    mount.gone = setTimeout(() => {
      all.mounts.delete(key);
      if (all.run?.mount === key) leave(all);
    }, 2000);
  };
}
