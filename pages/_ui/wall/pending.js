// What was pressed and is not answered yet lies over what the server tells, so that nothing flickers back.
function starred(told, on) {
  const by = Number(on) - Number(Boolean(told.star));
  return { ...told, star: on || undefined, stars: (told.stars ?? 0) + by || undefined };
}

function reordered(order, ids, before) {
  const moved = order.filter((id) => ids.includes(id)), left = order.filter((id) => !ids.includes(id));
  left.splice(before ? left.indexOf(before) : left.length, 0, ...moved);
  return left;
}

function newPending(wall) {
  const last = (id, ...names) => sender.of(id).findLast(({ what }) => names.includes(what))?.what;
  const isGone = ({ id }) => !wall.facts.shows_hidden && last(id, "hide", "show") === "hide";

  function over(told) {
    const star = last(told.id, "star", "unstar");
    return star ? starred(told, star === "star") : told;
  }

  function moved(order, { what, ids, value }) {
    if (what !== "move" || value.of !== wall.facts.collection) return order;
    return value.before && !order.includes(value.before) ? order : reordered(order, ids, value.before);
  }

  return {
    tiles: (told) => told.filter((each) => !isGone(each)).map(over),
    order: (told) => sender.waiting.reduce(moved, told),
  };
}
