// Sends the chosen file as the body of one request; Python then shows what is in it. Of a folder of clips, its
// sidecars are sent together: each is a line of an export.
export default function ({ parentElement, setTriggerValue }) {
  const input = parentElement.querySelector("input");
  const said = parentElement.querySelector("[role=status]");
  const send = async () => {
    const files = [...input.files], sidecars = files.filter((each) => /\.json$/i.test(each.name));
    if (!files.length) return;
    if (files.length > 1 && !sidecars.length) {
      said.textContent = "Of several files, choose those that end with .json.";
      return;
    }
    const body = files.length > 1 ? new Blob(sidecars.flatMap((each) => [each, "\n"])) : files[0];
    const name = files.length > 1 ? `${sidecars.length} sidecars` : files[0].name;
    input.disabled = true;
    said.textContent = `Reading ${name} …`;
    let words = "The file did not arrive. Check the connection, and choose it again.";
    try {
      const headers = { "X-File-Name": encodeURIComponent(name) };
      const answer = await fetch(__BASE__ + "/imports", { method: "PUT", body, headers });
      words = answer.ok ? "" : (await answer.text()) || words;
      if (answer.ok) setTriggerValue("read", name);
    } catch { /* said below */ }
    said.textContent = words;
    input.disabled = false;
    input.value = "";
  };
  input.addEventListener("change", send);
  return () => input.removeEventListener("change", send);
}
