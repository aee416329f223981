// The wall: pictures of clips in rows that fill the width. Everything that comes from jobs is put in as text; an id becomes
// a part of an address encoded.
const PHONE = matchMedia("(max-width: 640px)"), TABLET = matchMedia("(max-width: 1100px)");
const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const SIZE = "studio-wall-size", PLACE = "studio-wall-place"; // in the browser's storage
const TICK = "M5 12.5l4.5 4.5L19 7.5";

function pressable(words, look, press, name = "") { // a button with an icon, and its words beside it
  const element = set(make("button", name), { type: "button" });
  element.append(typeof look === "string" ? icon(look) : look, make("span", "", words));
  element.addEventListener("click", press);
  return element;
}

// Tells of each element that comes near the window: nearly in sight, so that what is looked at comes first, and from farther
// once somebody scrolls.
const NEAR = 200, AHEAD = 1600; // pixels above and below the window

function newNear(scroller, tell) {
  const watched = new Set();
  let observer = null;
  const begin = (margin) => {
    observer?.disconnect();
    const seen = (entries) => { for (const { isIntersecting, target } of entries) if (isIntersecting && watched.has(target)) tell(target); };
    observer = new IntersectionObserver(seen, { root: scroller, rootMargin: `${margin}px 0px` });
    watched.forEach((each) => observer.observe(each));
  };
  begin(NEAR);
  scroller.addEventListener("scroll", () => begin(AHEAD), { once: true, passive: true });
  return {
    watch: (element) => { watched.add(element); observer.observe(element); },
    forget: (element) => { watched.delete(element); observer.unobserve(element); },
  };
}
