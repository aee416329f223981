// The first run: six templates in the place of a clip.
function newFirst(stage) {
  const root = make("section", "stage-first"), grid = make("div", "stage-six");
  root.append(make("h2", "", "Start from one of these"), make("p", "", "A press fills the prompt and the settings. Change what you like, then generate."), grid);
  let drawn = "";
  return {
    root,
    update(templates) {
      const now = JSON.stringify(templates);
      if (now === drawn) return;
      drawn = now;
      grid.replaceChildren(...templates.filter(({ id }) => ID.test(id)).map(({ id, title, teaches, square }) => {
        const card = set(make("button", "stage-template"), { type: "button", "aria-label": title, "data-square": square ? "" : null });
        const picture = make("span", "stage-picture");
        picture.append(Object.assign(make("img"), { alt: "", src: `${BASE}/posters/${id}.jpg`, width: 320, height: 180 }), make("span", "stage-use", "Use this"));
        card.append(picture, make("span", "stage-title", title), make("span", "stage-teaches", teaches));
        let timer = null, video = null;
        const leave = () => { clearTimeout(timer); video?.remove(); video = null; };
        const enter = () => {
          clearTimeout(timer);
          if (CALM.matches || video) return;
          timer = setTimeout(() => {
            video = Object.assign(make("video"), { muted: true, loop: true, playsInline: true, src: `${BASE}/posters/${id}.mp4` });
            set(video, { "aria-hidden": "true", tabindex: -1 });
            video.addEventListener("error", leave);
            picture.insertBefore(video, picture.lastChild);
            video.play().catch(() => {});
          }, 120);
        };
        for (const name of ["pointerenter", "focus"]) card.addEventListener(name, enter);
        for (const name of ["pointerleave", "blur"]) card.addEventListener(name, leave);
        card.addEventListener("click", () => stage.send("use", id));
        return card;
      }));
    },
  };
}
