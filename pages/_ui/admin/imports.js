// Sends the chosen file as the body of one request; Python then shows what is in it.
export default function ({ parentElement, setTriggerValue }) {
  const input = parentElement.querySelector("input");
  const said = parentElement.querySelector("[role=status]");
  const send = async () => {
    const file = input.files[0];
    if (!file) return;
    input.disabled = true;
    said.textContent = `Reading ${file.name} …`;
    let words = "The file did not arrive. Check the connection, and choose it again.";
    try {
      const headers = { "X-File-Name": encodeURIComponent(file.name) };
      const answer = await fetch(__BASE__ + "/imports", { method: "PUT", body: file, headers });
      words = answer.ok ? "" : (await answer.text()) || words;
      if (answer.ok) setTriggerValue("read", file.name);
    } catch { /* said below */ }
    said.textContent = words;
    input.disabled = false;
    input.value = "";
  };
  input.addEventListener("change", send);
  return () => input.removeEventListener("change", send);
}
