// A form that was sent says so, and is not sent twice. Everything works without this script too.
for (const form of document.forms) {
  const button = form.querySelector("button");
  const words = button.textContent;
  form.addEventListener("submit", (event) => {
    if (button.getAttribute("aria-busy") === "true") {
      event.preventDefault();
      return;
    }
    button.setAttribute("aria-busy", "true");
    if (form.dataset.pending) button.textContent = form.dataset.pending;
  });
  // The browser shows the page again as it was left, after "back".
  addEventListener("pageshow", () => {
    button.removeAttribute("aria-busy");
    button.textContent = words;
  });
}
