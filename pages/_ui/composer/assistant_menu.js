// The menu under the prompt: what the assistant can be asked for, and where that goes.
function menu(tab, mount) {
  const chip = button("Improve", () => {}, { class: "chip", icon: "auto_fix_high", "aria-haspopup": "menu", "aria-expanded": "false" });
  const list = make("div", { role: "menu", "aria-label": "Improve the prompt" });
  const where = make("p", { class: "where", id: "where" });
  const box = make("div", { class: "menu", popover: "auto" }, list, where);
  const undo = button("Undo", () => send(tab, { mount: mount.key, opener: () => chip }, "undo"), { class: "chip undo", icon: "undo", title: "Back to the text before" });
  const items = () => [...list.children].filter((item) => !item.hidden);
  for (const [instruction, [name, what]] of Object.entries(INSTRUCTIONS))
    if (instruction !== "soften") list.append(make("button", {
      type: "button", role: "menuitem", tabindex: "-1", "data-instruction": instruction, "aria-describedby": "where",
      onclick: () => { box.hidePopover(); ask(tab, instruction, mount); },
    }, make("span", { text: name }), make("small", { text: what })));
  chip.popoverTargetElement = box;
  const open = (last) => {
    if (!box.matches(":popover-open")) box.showPopover();
    items().at(last ? -1 : 0)?.focus();
  };
  box.addEventListener("beforetoggle", ({ newState }) => {
    if (newState !== "open") return list.contains(list.getRootNode().activeElement) && chip.focus();
    const { host, storyboard } = facts();
    where.textContent = `Sent to ${host} when you choose. Nothing is sent before.`;
    for (const item of list.children) item.hidden = storyboard && ON_PROMPT_ONLY.includes(item.dataset.instruction);
    const { left, bottom } = chip.getBoundingClientRect();
    const { right } = (promptField()?.closest(".st-key-prompt_box") ?? document.body).getBoundingClientRect();
    box.style.left = Math.max(8, Math.min(left, right - 288, innerWidth - 296)) + "px";
    requestAnimationFrame(() => { // above the chip where there is no room below
      const top = bottom + 6, { height } = box.getBoundingClientRect(), over = top + height > innerHeight - 8;
      box.style.top = Math.max(8, over ? chip.getBoundingClientRect().top - 6 - height : top) + "px";
    });
  });
  box.addEventListener("toggle", ({ newState }) => {
    chip.setAttribute("aria-expanded", newState === "open");
    if (newState === "open") items()[0]?.focus({ preventScroll: true });
  });
  chip.addEventListener("keydown", (event) => {
    if (!["ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
    open(event.key === "ArrowUp");
  });
  list.addEventListener("keydown", (event) => {
    const all = items(), at = all.indexOf(event.target);
    const to = { ArrowDown: (at + 1) % all.length, ArrowUp: (at + all.length - 1) % all.length, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Tab") box.hidePopover();
    if (to === undefined) return;
    event.preventDefault();
    all[to].focus();
  });
  return make("div", { class: "tools" }, chip, undo, box);
}
