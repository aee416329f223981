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
