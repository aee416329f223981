// What the deck is made of: letters, icons, buttons, times.

const LETTERS = "ABCD";
const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  play: "M8 5v14l11-7z", pause: "M6 5h4v14H6zm8 0h4v14h-4z", back: "M6 6h2v12H6zm12 0v12l-8.5-6z", on: "M16 6h2v12h-2zM6 18V6l8.5 6z",
  close: "M19 6.4 17.6 5 12 10.6 6.4 5 5 6.4l5.6 5.6L5 17.6 6.4 19l5.6-5.6 5.6 5.6 1.4-1.4-5.6-5.6z",
  sound: "M3 9v6h4l5 5V4L7 9zm13.5 3A4.5 4.5 0 0 0 14 8v8a4.5 4.5 0 0 0 2.5-4M14 3.2v2.1a7 7 0 0 1 0 13.4v2.1a9 9 0 0 0 0-17.6",
  mute: "M3 9v6h4l5 5V4L7 9zm18.3.1-1.4-1.4-2.4 2.4-2.4-2.4-1.4 1.4 2.4 2.4-2.4 2.4 1.4 1.4 2.4-2.4 2.4 2.4 1.4-1.4-2.4-2.4z",
  loop: "M7 7h10v3l4-4-4-4v3H5v6h2zm10 10H7v-3l-4 4 4 4v-3h12v-6h-2z", add: "M19 13h-6v6h-2v-6H5v-2h6V5h2v6h6z",
  from: "M8 4h8v2h-6v12h6v2H8z", until: "M8 4h8v16H8v-2h6V6H8z",
  star: "m12 17.3 6.2 3.7-1.6-7L22 9.2l-7.2-.6L12 2 9.2 8.6 2 9.2 7.5 14l-1.7 7z",
  link: "M3.9 12A3.1 3.1 0 0 1 7 8.9h4V7H7a5 5 0 0 0 0 10h4v-1.9H7A3.1 3.1 0 0 1 3.9 12M8 13h8v-2H8zm9-6h-4v1.9h4a3.1 3.1 0 0 1 0 6.2h-4V17h4a5 5 0 0 0 0-10",
};

// Makes an element; what is said of it is text and attributes, never HTML.
function make(tag, given = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name === "text") element.textContent = value;
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter(Boolean));
  return element;
}

function drawn(name) {
  const icon = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "path");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  path.setAttribute("d", SHAPES[name]);
  icon.append(path);
  icon.shape = (other) => path.setAttribute("d", SHAPES[other]);
  return icon;
}

function pressable(name, label, { icon = true, words = "", keys = "" } = {}) {
  const sign = icon && drawn(name);
  const button = make("button", { type: "button", class: "deck-press", "aria-label": words ? null : label,
    title: keys ? `${label} (${keys})` : words ? null : label, "data-do": name }, sign, words && make("span", { text: words }));
  button.sign = sign;
  return button;
}

const two = (number) => String(number).padStart(2, "0");
// Minutes and seconds, with as many digits behind the point as are asked for.
function clockOf(seconds, digits) {
  const parts = 10 ** digits, all = Math.round(Math.max(seconds, 0) * parts), rest = Math.floor(all / parts);
  return `${Math.floor(rest / 60)}:${two(rest % 60)}${digits ? `.${String(all % parts).padStart(digits, "0")}` : ""}`;
}
