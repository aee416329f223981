// Sends what was chosen as the body of one request; Python then shows what is in it. Of a folder, and of several files,
// go the sidecars, each a line of an export, and what those clips say of themselves that have none beside them.
const FAILED = "The file did not arrive. Check the connection, and choose it again.";
const isSidecar = (file) => /\.json$/i.test(file.name) && file.size <= MOST_TEXT;
const stem = (file) => (file.webkitRelativePath || file.name).replace(/\.\w+$/, "");
const counted = ({ length }, one) => (length ? [`${length} ${one}${length > 1 ? "s" : ""}`] : []);

async function together(files, say) {
  const sidecars = files.filter(isSidecar), stems = new Set(sidecars.map(stem));
  const clips = files.filter((each) => isClip(each) && !stems.has(stem(each)));
  const lines = sidecars.flatMap((each) => [each, "\n"]);
  for (const [at, clip] of clips.entries()) {
    if (at % 20 === 0) say(`Reading clip ${at + 1} of ${clips.length} …`);
    const texts = await tables(clip);
    lines.push(JSON.stringify({ name: clip.name, clip: texts ? await base64(texts) : "" }), "\n");
  }
  return { name: [...counted(sidecars, "sidecar"), ...counted(clips, "clip")].join(" and "), body: new Blob(lines) };
}

export default function ({ parentElement, setTriggerValue }) {
  const inputs = [...parentElement.querySelectorAll("input")], said = parentElement.querySelector("[role=status]");
  const say = (words) => { said.textContent = words; };

  async function sent(files, isFolder) { // returns what is to be said
    const isOne = files.length === 1 && !isFolder, isWhole = isOne && !isClip(files[0]);
    const { name, body } = isWhole ? { name: files[0].name, body: files[0] } : await together(files, say);
    if (!name) return "Of several files, choose clips (.mp4), or those that end with .json.";
    const called = isOne ? files[0].name : name;
    say(`Reading ${called} …`);
    const headers = { "X-File-Name": encodeURIComponent(called) };
    const answer = await fetch(`${BASE}/imports`, { method: "PUT", body, headers });
    if (answer.ok) setTriggerValue("read", called);
    return answer.ok ? "" : (await answer.text()) || FAILED;
  }

  async function chosen({ target }) {
    const files = [...target.files];
    if (!files.length) return;
    for (const each of inputs) each.disabled = true;
    say(await sent(files, target.webkitdirectory).catch(() => FAILED));
    for (const each of inputs) Object.assign(each, { disabled: false, value: "" });
  }

  for (const each of inputs) {
    each.addEventListener("change", chosen);
    if (each.files.length && !each.disabled) chosen({ target: each }); // before this script was here
  }
  return () => { for (const each of inputs) each.removeEventListener("change", chosen); };
}
