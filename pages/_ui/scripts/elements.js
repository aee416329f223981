// Elements for every script that draws. Everything that comes from jobs is put in as text.
const make = (tag, name = "", words = "") => Object.assign(document.createElement(tag), { className: name, textContent: words });
const set = (element, values) => { // writes only what differs: each write is work for the browser
  for (const [name, value] of Object.entries(values)) {
    if (name === "text") { if (element.textContent !== value) element.textContent = value; }
    else if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
  return element;
};
