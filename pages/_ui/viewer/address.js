// The address: `clip=` beside whatever the page has there, which stays as it is written.
function split() {
  const parts = location.search.replace(/^\?/, "").split("&").filter(Boolean), own = parts.find((each) => each.startsWith("clip="));
  const others = parts.filter((each) => each !== own).join("&");
  let named = "";
  try { named = decodeURIComponent((own ?? "").slice(5).replaceAll("+", " ")); } catch { /* not an address of ours */ }
  return { id: named, others, rest: `${location.pathname}${others ? `?${others}` : ""}` };
}

function write(name, push) {
  const { others } = split(), query = [others, name && `clip=${encodeURIComponent(name)}`].filter(Boolean).join("&");
  const address = `${location.pathname}${query ? `?${query}` : ""}`;
  if (push) history.pushState({ ...history.state, studioClip: true }, "", address);
  else history.replaceState(history.state, "", address);
}

function listOf() { // which the page itself shows
  const { others } = split(), page = location.pathname.slice(BASE.length);
  if (page === "/collections") return new URLSearchParams(others).has("id") ? `collection=${encodeURIComponent(new URLSearchParams(others).get("id"))}` : "";
  return ["/history", "/gallery", "/job"].includes(page) ? others.split("&").filter((each) => !/^(id|back|page)=/.test(each)).join("&") : "";
}
