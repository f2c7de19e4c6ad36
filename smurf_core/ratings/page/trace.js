"use strict";
/* A slider that raters move while a clip plays: sampled against the player's time, and handed on in
   parts of a few seconds. Mouse, touch, arrow keys, or the axes of a gamepad. */

const PART = 20; // samples
const LONGEST_GAP = 0.5; // seconds, as on the server
const COVERED = 0.951; // of its length: no less than the server asks for
const DEAD = 0.08; // share of a joystick's way that is its rest

/* `scale` has low, high, labels, question and rate; `send` gets each part. */
function traceOf(scale, player, send) {
  const middle = (scale.low + scale.high) / 2;
  const slider = make("input", "", {
    type: "range", min: scale.low, max: scale.high, step: "any", id: "trace",
    "aria-label": `${scale.question}, ${scale.labels[0]} – ${scale.labels[1]}`,
  });
  slider.value = middle;
  const element = make("div", [
    make("p", scale.question), slider, ends(scale.labels[0], scale.labels[1]),
  ], { class: "trace" });
  let timer = null;
  let take = "";
  let part = 0;
  let times = [];
  let values = [];
  let last = -1; // seconds
  let covered = 0;
  let steered = false; // by a gamepad

  const value = () => Math.min(scale.high, Math.max(scale.low, Number(slider.value)));
  function move(to) {
    slider.value = Math.min(scale.high, Math.max(scale.low, to));
  }
  function axis() {
    let most = 0;
    for (const pad of navigator.getGamepads ? navigator.getGamepads() : []) {
      if (!pad || !pad.connected) continue;
      for (const way of [pad.axes[0] || 0, -(pad.axes[1] || 0)]) {
        if (Math.abs(way) > Math.abs(most)) most = way;
      }
    }
    return most;
  }
  function steer() {
    const way = axis();
    if (Math.abs(way) > DEAD) steered = true;
    if (steered) move(middle + (Math.abs(way) > DEAD ? way : 0) * (scale.high - middle));
  }
  function sample(moment) {
    const time = Math.round(moment * 1000) / 1000;
    if (time <= last) return;
    if (time - Math.max(last, 0) <= LONGEST_GAP) covered += time - Math.max(last, 0);
    last = time;
    times.push(time);
    values.push(value());
    if (times.length >= PART) flush();
  }
  function flush() {
    if (!times.length) return;
    send({ take, sequence: part, length: player.duration, times, values });
    part += 1;
    times = [];
    values = [];
  }
  function look() {
    if (!element.isConnected) { stop(); return; } // The rater went to another clip.
    steer();
    const time = player.currentTime;
    if (player.paused || player.seeking || !(player.duration > 0)) return;
    if (Math.floor(time * scale.rate) > Math.floor(last * scale.rate)) sample(time);
  }
  function stop() {
    clearInterval(timer);
    timer = null;
    element.classList.remove("recording");
  }
  for (const name of ["input", "pointerdown"]) {
    slider.addEventListener(name, () => { steered = false; });
  }
  return {
    element,
    get isRecording() { return timer !== null; },
    start() {
      const random = crypto.getRandomValues(new Uint8Array(8));
      take = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
      part = 0;
      times = [];
      values = [];
      last = -1;
      covered = 0;
      steered = false;
      move(middle);
      element.classList.add("recording");
      clearInterval(timer);
      timer = setInterval(look, 20);
      slider.focus({ preventScroll: true });
    },
    /* Ends the recording; false if too little of the clip was sampled. */
    finish() {
      if (timer === null) return true;
      sample(player.duration);
      flush();
      stop();
      return covered >= COVERED * player.duration;
    },
    key(name) {
      const up = name === "ArrowRight" || name === "ArrowUp";
      steered = false;
      move(value() + ((up ? 1 : -1) * (scale.high - scale.low)) / 40);
    },
  };
}
