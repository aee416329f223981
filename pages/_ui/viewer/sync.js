// Plays several videos as one: they begin in one task, and who falls behind is led back by a little speed. The page that
// compares clips and the page of a shared link both use it; it is joined into their scripts.
//
// Videos of one page share one clock, so what differs is how they begin, a stall or a jump. A jump costs a decoder more
// than it mends, and comes late: it is made only where they are far apart.

const SYNC = {
  look: 100, // milliseconds between two looks at where they are
  near: 0.012, // seconds: closer than this is in step
  far: 1, // seconds apart: further than this all begin anew from one place
  most: 0.25, // share of the speed that is given or taken at most
  gain: 2, // share of the speed for a second of distance
  stall: 80, // milliseconds without a picture until all wait
  // The same for one whose next second is here, also after a jump: a browser may say less than it can.
  loaded: 400,
  patience: 8000, // milliseconds until those that are ready play without the others
  ahead: 1, // seconds that have to be here before a clip that has stalled goes on
};

// changed: called when something is to be drawn anew: playing, place, marks, sound, a failure.
function newSync({ changed = () => {} } = {}) {
  let players = [], playing = false, still = 0, rate = 1, loop = true, from = 0, until = 0, heard = -1, turn = 0, moving = false;
  let gathering = false, timer = 0, over = null;

  const known = (seconds) => (Number.isFinite(seconds) && seconds > 0 ? seconds : 0);
  const lengthOf = (player) => known(player.video.duration) || player.seconds;
  const length = () => Math.max(0, ...players.filter((each) => !each.failed).map(lengthOf));
  const lead = () => players.filter((each) => !each.failed).reduce((one, other) => (!one || lengthOf(other) > lengthOf(one) + 0.01 ? other : one), null);
  const end = () => Math.min(until || Infinity, length());
  const begin = () => (from < end() - 0.05 ? from : 0); // a mark behind the end is none
  const within = (seconds) => Math.min(Math.max(seconds, 0), Math.max(length() - 0.02, 0));
  // The last picture of a clip that is shorter than the others stands until they are through.
  const placeIn = (player, seconds) => Math.max(Math.min(seconds, lengthOf(player) - 0.5 / player.fps), 0);

  // Where a video is, finer than `currentTime`: by its last picture and the time when that was shown.
  function placeOf(player) {
    const { video, seen } = player;
    if (video.paused || video.ended || !seen || performance.now() - seen.at > 400) return video.currentTime;
    return seen.media + ((performance.now() - seen.at) / 1000) * video.playbackRate;
  }

  function at() {
    const first = lead();
    return playing && !gathering && first ? Math.min(placeOf(first), length()) : still;
  }

  function watch(player) {
    const { video } = player, { signal } = over;
    const frame = (_now, { mediaTime, expectedDisplayTime }) => {
      if (signal.aborted) return;
      player.seen = { media: mediaTime, at: expectedDisplayTime };
      if (playing && !gathering && until && player === lead() && mediaTime >= end() - 0.5 / player.fps) through();
      video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback?.(frame);
    const on = (name, act) => video.addEventListener(name, act, { signal });
    on("seeking", () => { player.seen = null; });
    on("loadedmetadata", () => changed());
    on("emptied", () => { player.seen = null; player.failed = false; });
    on("error", () => {
      if (!video.getAttribute("src")) return;
      player.failed = true;
      changed();
    });
    on("ended", () => { if (playing && !gathering && player === lead()) through(); });
    on("waiting", () => {
      const since = video.currentTime;
      setTimeout(() => {
        if (signal.aborted || !playing || gathering || video.paused || video.readyState > 2 || video.currentTime > since) return;
        player.stalled = true;
        gather(Math.min(...active().map(placeOf)));
      }, isLoaded(player) ? SYNC.loaded : SYNC.stall);
    });
    // WebKitGTK sounds once its speed is changed.
    on("volumechange", () => { video.muted = players.indexOf(player) !== heard; });
    // The keys of a keyboard for music pause what is heard.
    on("pause", () => {
      if (playing && !gathering && !video.ended && !video.muted && video.readyState > 2) setTimeout(() => {
        if (video.paused && playing && !gathering && !signal.aborted) pause();
      });
    });
  }

  // Those that move: neither broken nor at their own end.
  const active = () => players.filter((each) => !each.failed && !each.video.ended);

  function step() {
    if (!playing || gathering || document.hidden) return;
    const movers = active();
    if (!movers.length) { through(); return; }
    for (const { video } of movers) if (video.paused) video.play().catch(() => {});
    const places = movers.map(placeOf), first = Math.min(...places), last = Math.max(...places);
    if (last - first > SYNC.far) { gather(placeOf(lead())); return; }
    const middle = (first + last) / 2;
    movers.forEach((player, index) => {
      const off = places[index] - middle;
      const by = last - first < SYNC.near ? 0 : Math.min(Math.max(SYNC.gain * off, -SYNC.most), SYNC.most);
      const speed = rate * (1 - by);
      if (Math.abs(player.video.playbackRate - speed) > 0.004 || (!by && player.video.playbackRate !== speed)) player.video.playbackRate = speed;
    });
    if (until && placeOf(lead()) >= end()) through();
    changed();
  }

  function through() {
    if (loop) gather(begin());
    else { pause(); still = within(end()); changed(); }
  }

  const isLoaded = ({ video: { buffered, currentTime: now, duration } }) => Array.from(buffered)
    .some((_, part) => buffered.start(part) <= now + 0.1 && buffered.end(part) >= Math.min(now + SYNC.ahead, duration - 0.1));

  function settled(player) {
    const { video } = player;
    const isThere = (least = 3) => player.failed || (player.next === null && !video.seeking && video.readyState >= least
      && (!player.stalled || video.readyState > 3 || isLoaded(player)));
    if (isThere()) return Promise.resolve();
    return new Promise((done) => {
      const stop = new AbortController(), { signal } = stop, check = () => { if (isThere()) finish(); };
      const finish = () => { stop.abort(); clearTimeout(late); clearInterval(looks); done(); };
      const late = setTimeout(finish, SYNC.patience);
      // After a jump WebKitGTK has no more than the picture, until it plays.
      const looks = setInterval(() => { if (isThere(2) && isLoaded(player)) finish(); }, SYNC.loaded);
      for (const name of ["canplay", "canplaythrough", "progress", "seeked", "loadeddata", "error"]) video.addEventListener(name, check, { signal });
    });
  }

  // Of several places asked for in a row only the newest is asked of the decoder.
  function put(player, seconds) {
    const { video } = player, place = placeIn(player, seconds);
    if (player.failed) return;
    if (video.readyState < 1) { player.next = place; later(player); return; }
    if (Math.abs(video.currentTime - place) < 0.4 / player.fps && !video.ended && !video.seeking) { player.next = null; return; }
    if (video.seeking) { player.next = place; later(player); return; }
    player.next = null;
    video.currentTime = place;
  }

  function later(player) {
    if (player.waits) return;
    player.waits = true;
    const again = () => {
      player.waits = false;
      if (player.next !== null) put(player, player.next);
    };
    player.video.addEventListener(player.video.readyState < 1 ? "loadedmetadata" : "seeked", again, { once: true, signal: over.signal });
  }

  // All go to one place, wait there for one another, and begin in one task.
  async function gather(seconds) {
    const mine = ++turn;
    gathering = true;
    still = within(seconds);
    for (const { video } of players) video.pause();
    for (const player of players) put(player, still);
    changed();
    await Promise.all(players.map(settled));
    if (mine !== turn) return;
    gathering = false;
    if (!playing) return;
    const begun = players.filter((each) => !each.failed && still < lengthOf(each) - 0.02).map(({ video }) => {
      video.playbackRate = rate;
      return video.play();
    });
    changed();
    const refused = (await Promise.allSettled(begun)).some(({ reason }) => reason?.name === "NotAllowedError");
    if (refused && mine === turn && heard >= 0) { hear(-1); gather(still); } // a browser lets no page sound by itself
  }

  function play() {
    playing = true;
    if (at() >= end() - 0.05 || (until && at() < from)) still = begin();
    gather(still);
  }

  function pause() {
    if (playing && !gathering) still = within(at());
    playing = false;
    gathering = false;
    turn += 1;
    for (const { video } of players) video.pause();
    for (const player of players) put(player, still); // so that all show the same moment
    changed();
  }

  function seek(seconds) {
    still = within(seconds);
    if (playing && !moving) gather(still);
    else { for (const player of players) put(player, still); changed(); }
  }

  // While a finger is on the bar nothing plays; it goes on where the finger leaves it.
  function scrub(isOn) {
    if (isOn === moving) return;
    moving = isOn;
    if (!playing) return;
    if (isOn) {
      still = within(at());
      gathering = true;
      turn += 1;
      for (const { video } of players) video.pause();
    } else gather(still);
  }

  function frames(by) {
    if (playing) pause();
    const first = lead();
    if (!first) return;
    const number = Math.floor(still * first.fps + 0.01) + by, most = Math.ceil(lengthOf(first) * first.fps) - 1;
    seek((Math.min(Math.max(number, 0), most) + 0.5) / first.fps);
  }

  function hear(index) {
    heard = index;
    players.forEach(({ video }, number) => { video.muted = number !== index; });
    changed();
  }

  // Takes other videos. Each of `seconds` and `fps` is what is known before a file is loaded.
  function use(videos, facts = []) {
    clear();
    over = new AbortController();
    players = videos.map((video, index) => ({
      video, seconds: known(facts[index]?.seconds), fps: known(facts[index]?.fps) || 24, failed: false, seen: null, next: null, waits: false, stalled: false,
    }));
    for (const player of players) watch(player);
    hear(heard < players.length ? heard : -1);
    timer = setInterval(step, SYNC.look);
    if (playing) gather(still); else seek(still);
  }

  // One video shows another file.
  function renewed(index, facts = {}) {
    if (playing) still = within(at());
    Object.assign(players[index], { seconds: known(facts.seconds), fps: known(facts.fps) || 24, failed: false, seen: null, next: null, stalled: false });
    if (playing) gather(still); else seek(still);
  }

  function clear() {
    clearInterval(timer);
    over?.abort();
    turn += 1;
    for (const { video } of players) video.pause();
    players = [];
  }

  return {
    use, renewed, clear, play, pause, seek, scrub, frames, hear,
    toggle: () => (playing ? pause() : play()),
    speed: (by) => { rate = by; if (playing) for (const { video } of active()) video.playbackRate = by; changed(); },
    loops: (on) => { loop = on; changed(); },
    marks: (start, stop) => { from = Math.max(start, 0); until = Math.max(stop, 0); changed(); },
    failed: (index) => Boolean(players[index]?.failed),
    lasts: (index) => (players[index] ? lengthOf(players[index]) : 0), // seconds
    get playing() { return playing; },
    get at() { return at(); },
    get length() { return length(); },
    get rate() { return rate; },
    get loop() { return loop; },
    get from() { return from; },
    get until() { return until; },
    get heard() { return heard; },
  };
}
