// Further clips: the next part when the end of the wall comes near, and again what is in sight when something has changed.
const CALM = 1000; // milliseconds before what is in sight is asked for again

function newMore(wall) {
  const end = make("div", "wall-end"), ending = newNear(wall.scroller, () => next());
  const again = pressable("The next clips did not come. Try again", "refresh", () => { again.hidden = true; next(); });
  let isThere = false, isAsking = null, timer = null, isRunning = false;
  again.hidden = true;
  end.append(again);

  async function part(number) {
    const asked = isAsking = new AbortController(), { among, of } = wall.facts;
    const answer = await fetch(`${BASE}/wall?${[among, `page=${number}`].filter(Boolean).join("&")}`, { signal: asked.signal });
    if (!answer.ok) throw new Error(answer.status);
    const told = await answer.json();
    if (asked !== isAsking || of !== wall.facts.of) throw new DOMException("", "AbortError");
    return told;
  }

  async function next() {
    if (!isThere || isAsking || !again.hidden) return;
    const number = Math.floor(wall.order.length / wall.facts.per_page) + 1;
    try {
      const told = await part(number);
      isAsking = null;
      if (told.number < number) isThere = false; // others have hidden some meanwhile
      else { isThere = told.more > 0; wall.merge(told, false); }
    } catch (error) {
      if (error.name === "AbortError") return;
      isAsking = null;
      again.hidden = false;
    }
  }

  function soon() {
    clearTimeout(timer);
    if (wall.facts?.per_page && wall.order.length > wall.facts.per_page) timer = setTimeout(refresh, CALM);
  }

  async function refresh() { // the part that is in sight; the first one comes with the page
    if (isAsking) { soon(); return; }
    const number = Math.floor(wall.order.indexOf(wall.inSight()?.id) / wall.facts.per_page) + 1;
    if (number < 2) return;
    try {
      const told = await part(number);
      isAsking = null;
      if (told.number === number) wall.merge(told, false);
    } catch { // the next change asks again
      isAsking = null;
      watch();
    }
  }

  function watch() { // it tells anew also where the end is still near
    ending.forget(end);
    if (isThere && isRunning) ending.watch(end);
  }

  function cease() {
    isAsking?.abort();
    isAsking = null;
  }

  return {
    end, next, soon, watch, get isThere() { return isThere; },
    begin: (hasMore) => { if (!hasMore) cease(); isThere = hasMore; },
    start: () => { isRunning = true; watch(); },
    stop: () => { isRunning = false; cease(); clearTimeout(timer); ending.forget(end); },
  };
}
