// Links to /take-away on every page: the browser keeps the file, and here stands how far a ZIP is and why one cannot be made.
// Without this script they are plain links.
const LOOK_AGAIN = 400, STAYS = 6000, GIVE_UP = 25; // milliseconds; looks that find nothing
const make = (tag, name = "", words = "") => Object.assign(document.createElement(tag), { className: name, textContent: words });
const size = (bytes) => bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : bytes >= 1e5 ? `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB` : `${Math.ceil(bytes / 1e3)} kB`;

// In the top layer, so that it stands above a dialog that is open.
function newCard() {
  const root = make("div", "taking"), words = make("p"), bar = make("progress"), fine = make("small"), close = make("button", "ms", "close");
  root.setAttribute("popover", "manual");
  root.setAttribute("role", "status");
  bar.setAttribute("aria-label", "Download");
  close.setAttribute("aria-label", "Close");
  close.type = "button";
  close.addEventListener("click", () => root.remove());
  root.append(words, close, bar, fine);
  const show = () => {
    if (root.isConnected) return;
    document.body.append(root);
    root.showPopover?.();
  };
  return { root, update({ text, part, under, bad }) {
    if (words.textContent !== text) words.textContent = text;
    bar.hidden = part === undefined;
    if (part !== undefined) bar.value = part;
    fine.textContent = under ?? "";
    root.toggleAttribute("data-bad", Boolean(bad));
    show();
  }, leave() { setTimeout(() => root.remove(), STAYS); } };
}

async function watch(mark) {
  const card = newCard();
  let unknown = 0, closed = false;
  while (!closed) {
    await new Promise((next) => { setTimeout(next, LOOK_AGAIN); });
    const answer = await fetch(`${PATH}/progress?watch=${mark}`).then((found) => found.ok ? found.json() : null, () => null);
    if (!answer || answer.state === "unknown") {
      if (++unknown > GIVE_UP) break;
      continue;
    }
    const { state, sent, size: all, clips, name, why } = answer, many = clips > 1 ? `${clips} clips` : "1 clip";
    closed = state !== "sending";
    if (state === "failed") card.update({ text: why || "The download has failed. Try again.", bad: true });
    else if (state === "stopped") card.update({ text: "The download was stopped.", bad: true });
    else if (!name.endsWith(".zip")) { if (closed) return; else continue; } // one clip: the browser says enough
    else if (closed) card.update({ text: `${many} saved`, under: name });
    else card.update({ text: `Downloading ${many}`, part: all ? sent / all : 0, under: `${size(sent)} of ${size(all)}` });
  }
  card.leave();
}

function take(address) {
  const mark = [...crypto.getRandomValues(new Uint8Array(12))].map((each) => each.toString(16).padStart(2, "0")).join("");
  const to = new URL(address, location.href), link = make("a");
  to.searchParams.set("watch", mark);
  link.href = to.href;
  link.download = "";
  link.dataset.watched = "";
  document.body.append(link);
  link.click();
  link.remove();
  watch(mark);
}

export default function () {
  const pressed = (event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.defaultPrevented) return;
    const link = event.composedPath().find((each) => each instanceof HTMLAnchorElement);
    if (!link || "watched" in link.dataset || new URL(link.href, location.href).pathname !== PATH) return;
    event.preventDefault();
    take(link.href);
  };
  document.addEventListener("click", pressed);
  return () => document.removeEventListener("click", pressed);
}
