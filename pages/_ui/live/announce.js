// Tell screen readers which jobs have changed since the last time; play a sound where that is switched on.
function watchTasks(hub) {
  hub.region ??= status("position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap;");
  const now = new Map(); // one element for each job, though the page may show a job twice
  document.querySelectorAll("[data-task][data-state]").forEach((element) => now.set(element.dataset.task, element));
  const changed = [...now].filter(([task, { dataset }]) => (hub.states.get(task) ?? dataset.state) !== dataset.state);
  now.forEach(({ dataset }, task) => {
    hub.states.set(task, dataset.state);
    if (dataset.own) noteOwn(hub, task, dataset);
  });
  if (!changed.length) return;
  hub.region.textContent = changed.map(([, { dataset }]) => dataset.say).filter(Boolean).join(" ");
  clearTimeout(hub.said);
  hub.said = setTimeout(() => { hub.region.textContent = ""; }, 10000); // the same text is read out only if it was away
  ring(hub, changed.map(([task, { dataset }]) => [task, dataset.state]));
}

// Play a sound for jobs that have ended, once each: a hidden tab hears of it before it draws it.
function ring(hub, changed) {
  hub.rung ??= new Set();
  const ended = changed.filter(([task, state]) => OVER.includes(state) && !hub.rung.has(task));
  ended.forEach(([task]) => hub.rung.add(task));
  if (ended.length && document.querySelector('[data-chime="on"]'))
    chime(hub, ended.some(([, state]) => state === "succeed"));
}

function chime(hub, well) {
  // Before the first click on a page browsers play no sound, and play it later all at once.
  if (navigator.userActivation?.hasBeenActive === false) return;
  hub.audio ??= new AudioContext();
  hub.audio.resume();
  (well ? [659, 880] : [659, 494]).forEach((hertz, index) => {
    const tone = hub.audio.createOscillator(), loudness = hub.audio.createGain();
    const start = hub.audio.currentTime + 0.05 + 0.16 * index;
    tone.frequency.value = hertz;
    loudness.gain.setValueAtTime(0, start);
    loudness.gain.linearRampToValueAtTime(0.15, start + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.0001, start + 0.6);
    tone.connect(loudness).connect(hub.audio.destination);
    tone.start(start);
    tone.stop(start + 0.6);
  });
}
