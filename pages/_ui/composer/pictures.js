// A picture that is chosen, dropped or pasted goes to the studio over HTTP; Streamlit hears only its name.
const PATH = __PATH__, MOST_BYTES = __MOST_BYTES__;
const FIRST = "first_frame", LAST = "last_frame";
const isPicture = (file) => file.type.startsWith("image/");
const slot = (name) => document.querySelector(`[data-frame="${name}"]`);
const isFull = (name) => !!slot(name)?.querySelector("img");
const free = () => isFull(FIRST) && slot(LAST) && !isFull(LAST) ? LAST : FIRST; // which frame a picture becomes by itself
const named = (event, name) => event.composedPath().find((each) => each.matches?.(`[${name}]`))?.getAttribute(name);

// Beside what the page says there, so that the next run of the page has nothing to take back.
function say(name, words) {
  const shown = slot(name) ?? slot(FIRST);
  if (words) shown?.setAttribute("data-busy", words);
  else document.querySelectorAll("[data-busy]").forEach((each) => each.removeAttribute("data-busy"));
}

async function sent(file, told) {
  if (file.size > MOST_BYTES) return { problem: `The picture has ${Math.ceil(file.size / 2 ** 20)} MB. It may have ${MOST_BYTES / 2 ** 20}: save it smaller.` };
  try {
    const { status, responseText: words } = await put(file, told);
    if (status === 201) return JSON.parse(words);
    if (status) return { problem: status < 500 || status === 507 ? words.slice(0, 400) : "The studio could not look at the picture. Try again." };
  } catch { /* an answer that is not the studio's is none */ }
  return { problem: "The picture did not arrive. Look at the connection, and try again." };
}

// Not by `fetch`, which does not tell how much has arrived.
function put(file, told) {
  const call = new XMLHttpRequest();
  call.upload.addEventListener("progress", ({ loaded, total }) => told(loaded < total ? `Uploading ${Math.floor(100 * loaded / total)} %` : "Looking at it…"));
  return new Promise((done) => {
    call.addEventListener("loadend", () => done(call)); // its status is 0 if it has failed
    call.open("PUT", PATH);
    call.send(file);
  });
}

// A run of the page may mount the script anew, also while a picture is on its way: these listeners stay.
const here = (window.__studioPictures ??= { trigger: null, isBusy: false, isHeard: false, chooser: null });
const tell = (said) => here.trigger?.("given", { ...said, at: Date.now() });

async function give(files, wanted) {
  const pictures = (wanted ? files : files.filter(isPicture)).slice(0, wanted ? 1 : 2);
  if (!pictures.length || here.isBusy || !slot(FIRST)) return;
  here.isBusy = true;
  const begin = wanted ?? free();
  const names = pictures.length > 1 ? [FIRST, LAST] : [begin];
  const frames = [];
  for (const [index, name] of names.entries()) {
    say(name, "Uploading…");
    frames.push({ slot: name, ...(await sent(pictures[index], (words) => say(name, words))) });
  }
  here.isBusy = false;
  say(FIRST, "");
  tell({ frames });
}

function choose(name) {
  here.chooser?.remove();
  const chooser = Object.assign(document.createElement("input"), { type: "file", accept: "image/png,image/jpeg,image/webp,image/gif", hidden: true });
  chooser.addEventListener("change", () => { give([...chooser.files], name); chooser.remove(); });
  document.body.append(chooser);
  here.chooser = chooser;
  chooser.click();
}

function pressed(event) {
  const name = named(event, "data-choose-picture"), act = named(event, "data-frame-act");
  if (name) choose(name);
  else if (act) tell({ act });
}

function dropped(event) {
  const files = [...(event.dataTransfer?.files ?? [])];
  if (!files.some(isPicture) || !slot(FIRST)) return;
  event.preventDefault();
  give(files.filter(isPicture), files.length > 1 ? null : named(event, "data-frame"));
}

function pasted(event) {
  const files = [...(event.clipboardData?.files ?? [])];
  const isText = [...(event.clipboardData?.types ?? [])].includes("text/plain");
  if (isText || !files.some(isPicture) || !slot(FIRST)) return;
  event.preventDefault();
  give(files);
}

export default function ({ setTriggerValue }) {
  here.trigger = setTriggerValue;
  here.becomes = (event) => named(event, "data-frame") ?? free(); // what dropping.js says meanwhile
  if (!here.isHeard) {
    here.isHeard = true;
    for (const [name, heard] of [["click", pressed], ["drop", dropped], ["paste", pasted]]) document.addEventListener(name, heard);
  }
}
