// The clips beside the one that is shown. One of them is a stop of the Tab key; the arrows lead through all.
function newStrip(pick) {
  const root = set(make("div", "viewer-strip"), { role: "group", "aria-label": "Clips beside it" }), thumbs = new Map();

  function show(near, id, marked) {
    const shown = near.length > 1 ? near : [];
    root.hidden = !shown.length;
    for (const key of thumbs.keys()) if (!shown.some((each) => each.id === key)) thumbs.delete(key);
    for (const each of shown) if (!thumbs.has(each.id)) thumbs.set(each.id, thumb(each));
    const all = shown.map((each) => thumbs.get(each.id)), current = thumbs.get(id);
    if (all.length !== root.children.length || all.some((each, place) => root.children[place] !== each)) root.replaceChildren(...all);
    for (const [key, element] of thumbs) set(element, { tabindex: key === id ? 0 : -1, "aria-current": key === id ? "true" : null, "data-marked": key === marked ? "A" : null });
    if (current) root.scrollLeft = current.offsetLeft - (root.clientWidth - current.offsetWidth) / 2;
  }

  function thumb({ id, poster, ratio, prompt }) {
    const element = set(make("button", "viewer-thumb"), { type: "button", "aria-label": prompt.slice(0, 80) || "Clip" });
    element.style.setProperty("--ratio", Math.max(ratio, 9 / 16));
    element.append(Object.assign(make("img"), { alt: "", decoding: "async", src: poster, onerror: (event) => event.target.remove() }));
    element.addEventListener("click", () => pick(id));
    return element;
  }

  return { root, show };
}
