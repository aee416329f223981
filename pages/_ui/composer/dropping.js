// A file that is dropped on Compose, or chosen: of a clip only the part with its texts is sent, however large it is.
const MOST_TABLES = 6 * 2 ** 20, MOST_TEXT = 2 ** 20, MOST_BOXES = 10000; // bytes; boxes of one file
const PICTURE_HINTS = { first_frame: "Drop the picture: the video begins with it", last_frame: "Drop the picture: the video ends with it" };
const HINT = "Drop a clip or a .json file from this studio: its settings come into the form";
const isPicture = (file) => file.type.startsWith("image/"); // pictures.js takes it
const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
const isOthers = (event) => event.composedPath().some((each) => each.matches?.("[data-testid=stFileUploaderDropzone], input[type=file]"));

async function part(file, from, to) {
  return new Uint8Array(await file.slice(from, to).arrayBuffer());
}

// The first box (`ftyp`) and the one with the tables and the texts (`moov`); nothing of a file that is built otherwise.
async function tables(file) {
  const found = [];
  let at = 0;
  for (let count = 0; at + 8 <= file.size && count < MOST_BOXES; count++) {
    const head = await part(file, at, at + 16), view = new DataView(head.buffer);
    const kind = String.fromCharCode(...head.subarray(4, 8));
    let length = view.getUint32(0);
    if (length === 1 && head.length === 16) length = Number(view.getBigUint64(8));
    else if (length === 0) length = file.size - at;
    if (length < 8 || at + length > file.size) break;
    if (kind === "moov" && length <= MOST_TABLES) found.push(await part(file, at, at + length));
    at += length;
  }
  return found.length ? new Blob(found) : null;
}

function base64(blob) {
  return new Promise((done, fail) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => done(String(reader.result).replace(/^[^,]*,/, "")));
    reader.addEventListener("error", () => fail(reader.error));
    reader.readAsDataURL(blob);
  });
}

async function told(file, others) {
  const name = file.name.slice(0, 200), facts = { name, others, at: Date.now() };
  if (/\.(mp4|m4v|mov)$/i.test(name) || file.type.startsWith("video/")) {
    const texts = await tables(file);
    return { ...facts, kind: "clip", data: texts ? await base64(texts) : "" };
  }
  if (/\.(json|jsonl|ndjson|txt)$/i.test(name)) {
    return file.size > MOST_TEXT ? { ...facts, kind: "large", data: "" } : { ...facts, kind: "text", data: await base64(file) };
  }
  return { ...facts, kind: /\.zip$/i.test(name) ? "zip" : "other", data: "" };
}

export default function ({ setTriggerValue }) {
  let hint = null, chooser = null;
  const read = async (files) => {
    if (!files.length) return;
    let said = null;
    try { said = await told(files[0], files.length - 1); } catch { said = { name: files[0].name.slice(0, 200), others: 0, at: Date.now(), kind: "unread", data: "" }; }
    setTriggerValue("dropped", said);
  };
  const hide = () => { hint?.remove(); hint = null; };
  const over = (event) => {
    if (!hasFiles(event) || isOthers(event)) { hide(); return; }
    event.preventDefault(); // or the browser would open the file in the place of the page
    event.dataTransfer.dropEffect = "copy";
    const becomes = window.__studioPictures?.becomes(event) ?? "first_frame";
    const words = [...event.dataTransfer.items].some(isPicture) ? PICTURE_HINTS[becomes] : HINT;
    if (!hint) document.body.append(hint = Object.assign(document.createElement("div"), { className: "compose-drop" }));
    if (hint.textContent !== words) hint.textContent = words;
  };
  const left = (event) => { if (!event.relatedTarget) hide(); };
  const dropped = (event) => {
    if (!hasFiles(event) || isOthers(event)) return;
    event.preventDefault();
    hide();
    if ([...event.dataTransfer.files].some(isPicture)) return;
    read([...event.dataTransfer.files]);
  };
  const pressed = (event) => {
    if (!event.composedPath().some((each) => each.matches?.("[data-choose-file]"))) return;
    chooser?.remove();
    chooser = Object.assign(document.createElement("input"), { type: "file", accept: ".mp4,.m4v,.mov,.json,.jsonl,video/mp4", hidden: true });
    chooser.addEventListener("change", () => { read([...chooser.files]); chooser.remove(); });
    document.body.append(chooser);
    chooser.click();
  };
  const listeners = [["dragover", over], ["dragleave", left], ["drop", dropped], ["click", pressed]];
  listeners.forEach(([name, heard]) => document.addEventListener(name, heard));
  return () => {
    hide();
    chooser?.remove();
    listeners.forEach(([name, heard]) => document.removeEventListener(name, heard));
  };
}
