// A wall whose order people choose: a picture is dragged, or moved with Alt and the arrows. It is seen at once.
function newMoving(wall) {
  let ids = [], mark = null;

  function move(moved, before) {
    if (moved.includes(before)) return;
    wall.reorder(reordered(wall.order, moved, before));
    wall.send("move", moved, { before });
  }

  function step(tile, by) {
    const at = wall.order.indexOf(tile.id), to = at + by;
    if (to < 0 || to >= wall.order.length) return;
    move([tile.id], by < 0 ? wall.order[to] : wall.order[to + 1] ?? "");
    wall.focus(tile);
    wall.choice.say(`Place ${wall.order.indexOf(tile.id) + 1} of ${wall.order.length}`);
  }

  const under = (event) => wall.tiles.get(event.target.closest?.(".wall-tile")?.dataset.clip);
  const isAfter = (event, tile) => { const { left, width } = tile.root.getBoundingClientRect(); return event.clientX > left + width / 2; };
  function show(tile, side) {
    mark?.root.removeAttribute("data-drop");
    mark = tile ?? null;
    if (mark) set(mark.root, { "data-drop": side });
  }

  wall.root.addEventListener("pointerdown", (event) => { // only then: a picture that can be dragged cannot be selected as text
    const tile = under(event);
    if (tile && event.pointerType === "mouse") tile.open.draggable = Boolean(wall.facts?.can_order);
  });
  wall.root.addEventListener("dragstart", (event) => {
    const tile = under(event);
    if (!tile || !wall.facts.can_order) return;
    ids = wall.chosen.has(tile.id) ? wall.choice.ids() : [tile.id];
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", tile.id);
    wall.over.show(null);
  });
  wall.root.addEventListener("dragover", (event) => {
    const tile = ids.length && under(event);
    if (!tile) return;
    event.preventDefault();
    show(tile, isAfter(event, tile) ? "after" : "before");
  });
  wall.root.addEventListener("drop", (event) => {
    const tile = ids.length && under(event);
    if (!tile) return;
    event.preventDefault();
    const next = wall.order[wall.order.indexOf(tile.id) + 1] ?? "";
    move(ids, isAfter(event, tile) ? next : tile.id);
  });
  wall.root.addEventListener("dragend", () => { ids = []; show(null); });
  return { move, step };
}
