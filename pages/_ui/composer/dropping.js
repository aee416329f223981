// A file that is dropped on Compose, or chosen; needs scripts/clip_texts.js.
const PICTURE_HINTS = { first_frame: "Drop the picture: the video begins with it", last_frame: "Drop the picture: the video ends with it" };
const HINT = "Drop a clip or a .json file from this studio: its settings come into the form";
const isPicture = (file) => file.type.startsWith("image/"); // pictures.js takes it
const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
const isOthers = (event) => event.composedPath().some((each) => each.matches?.("[data-testid=stFileUploaderDropzone], input[type=file]"));

async function told(file, others) {
  const name = file.name.slice(0, 200), facts = { name, others, at: Date.now() };
  if (isClip(file)) {
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
