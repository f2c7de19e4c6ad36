"use strict";
/* The rater's page. Every answer goes into a queue that is kept on this device until the server
   has acknowledged it; sending it twice does no harm. */

const base = location.pathname.replace(/\/+$/, "").split("/").pop();
const kept = "ratings:" + base;
const main = document.getElementById("main");
const status = document.getElementById("status");
let texts = {};
let info = {};
let queue = readQueue();
let sending = false;
let wait = 1000;
let screen = null; // the item that is shown
const items = new Map(); // position → promise of an item with its media
const revisions = new Map(); // position → revision of the next answer
const plays = new Map(); // position → how often it was played here

function readQueue() {
  try { return JSON.parse(localStorage.getItem(kept)) || []; } catch { return []; }
}
function keepQueue() {
  try {
    if (queue.length) localStorage.setItem(kept, JSON.stringify(queue));
    else localStorage.removeItem(kept);
  } catch { /* Not allowed here: the queue is kept in memory only. */ }
}

class Gone extends Error {}

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  const answer = await fetch(`${base}/${path}`, { ...options, cache: "no-store", credentials: "omit" });
  if (answer.status === 404) throw new Gone();
  if (answer.status === 422) return answer.json();
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

/* Elements */

const button = (text, act, kind = "", id = null) =>
  make("button", text, { type: "button", class: kind, id, onclick: act });
function show(...parts) {
  for (const player of main.querySelectorAll("audio, video")) player.pause();
  main.replaceChildren(...parts.filter(Boolean));
  window.scrollTo(0, 0);
}
function say(text) { status.textContent = text; }
function end(text) {
  screen = null;
  say("");
  show(make("h1", info.title || ""), make("p", text));
}
function gone() {
  queue = [];
  keepQueue();
  end(texts.unknown_link || "404");
}
function heading() {
  return [
    make("h1", info.title),
    info.is_simulated ? make("p", texts.simulated, { class: "note" }) : null,
  ];
}

/* Screens */

function askConsent() {
  if (!info.is_open) { end(texts.closed); return; }
  const refused = make("p", "", { class: "error", hidden: true });
  show(
    ...heading(),
    info.instructions ? make("h2", texts.instructions_heading) : null,
    info.instructions ? make("p", info.instructions) : null,
    make("h2", texts.consent_heading),
    make("p", info.consent),
    refused,
    make("div", [
      button(texts.agree, async () => {
        const found = await patiently(() => ask("consent", {}));
        if (found.error) { refused.textContent = found.error; refused.hidden = false; return; }
        info.state = found;
        goOn(found.next);
      }, "main", "agree"),
      button(texts.decline, () => end(texts.declined)),
    ], { class: "row" }),
  );
}

async function patiently(act) {
  for (let pause = 500; ; pause = Math.min(2 * pause, 8000)) {
    try { return await act(); } catch (error) {
      if (error instanceof Gone) { gone(); return new Promise(() => {}); }
      say(texts.not_saved || "…");
      await new Promise((done) => setTimeout(done, pause));
    }
  }
}

function goOn(position) {
  if (position === null || position >= info.state.total) finish();
  else showItem(position);
}

async function finish() {
  screen = null;
  show(...heading(), make("p", texts.saving));
  await drained();
  const start = await patiently(() => ask("start"));
  info = start;
  if (start.state.next !== null) { showItem(start.state.next); return; }
  say("");
  show(...heading(), make("p", texts.thanks, { id: "thanks" }), withdrawing(() => finish()));
}

function paused(position) {
  screen = null;
  show(
    ...heading(), make("p", texts.paused),
    make("div", button(texts.continue, () => showItem(position), "main", "continue"), { class: "row" }),
  );
}

function withdrawing(back) {
  return make("div", button(texts.withdraw, () => {
    screen = null;
    show(
      ...heading(), make("p", texts.withdraw_question, { class: "request" }),
      make("div", [
        button(texts.withdraw_no, back, "main"),
        button(texts.withdraw_yes, async () => {
          queue = [];
          keepQueue();
          for (let pause = 500; ; pause = Math.min(2 * pause, 8000)) {
            try { await ask("withdraw", {}); break; } catch (error) {
              if (error instanceof Gone) break; // It was done before, and the reply was lost.
              await new Promise((done) => setTimeout(done, pause));
            }
          }
          end(texts.withdrawn);
        }, "", "withdraw_yes"),
      ], { class: "row" }),
    );
  }, "plain", "withdraw"), { class: "row" });
}

/* Items */

function fetched(position) {
  if (!items.has(position)) {
    const loading = (async () => {
      const item = await ask(`items/${position}`);
      if (item.media && !item.error) {
        const media = await fetch(`${base}/items/${position}/media`, { credentials: "omit" });
        if (media.status === 404) throw new Gone();
        if (media.status === 422) item.error = (await media.json()).error;
        else if (media.ok) item.source = URL.createObjectURL(await media.blob());
        else throw new Error(String(media.status));
      }
      return item;
    })();
    loading.catch(() => items.delete(position));
    items.set(position, loading);
    for (const [other, promise] of items) {
      if (Math.abs(other - position) > 3) {
        items.delete(other);
        promise.then((item) => item.source && URL.revokeObjectURL(item.source), () => {});
      }
    }
  }
  return items.get(position);
}

async function showItem(position) {
  screen = null;
  say("");
  const item = await patiently(() => fetched(position));
  const before = queue.findLast((one) => one.position === position && one.what !== "trace");
  const answer = (before && before.values) || item.given || item.answer || {};
  const state = {
    item, position, values: { ...answer }, opened: null, lost: 0,
    trace: null, traced: !item.trace || item.trace.is_complete || Boolean(item.traced) || Boolean(before),
  };
  screen = state;
  if (item.error) {
    show(...heading(), make("p", item.error, { class: "error" }),
      make("div", button(texts.continue, () => { items.delete(position); showItem(position); }, "main"),
        { class: "row" }));
    return;
  }
  const player = item.media ? playerOf(state) : null;
  if (item.trace) state.trace = traceOf(item.trace, state.player, (chunk) => sendTrace(state, chunk));
  const fields = make("div", item.fields.map((field, at) => fieldOf(
    field, at, state.values[field.key], (value) => { state.values[field.key] = value; check(state); },
  )), { id: "fields" });
  const next = button(texts.next, () => answered(state), "main", "next");
  state.next = next;
  state.fields = fields;
  state.hint = make("p", item.trace ? texts.trace_hint : texts.answer_opens,
    { class: "soft", hidden: !item.media });
  const startsNow = lastWasPractice && !item.is_practice;
  lastWasPractice = item.is_practice;
  show(
    make("p", texts.progress.replace("{done}", position + 1).replace("{total}", item.total),
      { class: "soft", id: "place" }),
    make("progress", "", { value: position, max: item.total, "aria-hidden": "true" }),
    item.is_practice ? make("h1", texts.practice_heading) : null,
    item.is_practice ? make("p", texts.practice_note, { class: "note" }) : null,
    startsNow ? make("p", texts.practice_done, { class: "note" }) : null,
    item.words !== null ? make("h2", texts.read_words) : null,
    item.words !== null ? make("p", item.words, { class: "words" }) : null,
    player,
    state.trace && state.trace.element,
    state.hint,
    item.request ? make("p", item.request, { class: "request" }) : null,
    fields,
    make("div", [
      button(texts.back, () => showItem(position - 1), "", "back"),
      next,
    ], { class: "row" }),
    make("p", item.trace ? texts.trace_keyboard : texts.keyboard, { class: "soft keys" }),
    make("div", [button(texts.pause, () => paused(position), "plain", "pause")], { class: "row" }),
    withdrawing(() => showItem(position)),
  );
  document.getElementById("back").disabled = position === 0;
  if (!item.media || item.answer || before || item.given || (item.trace && state.traced)) open(state);
  else lock(state);
  if (item.media) state.play.focus({ preventScroll: true }); else focusFirst(state);
  if (position + 1 < item.total) fetched(position + 1).catch(() => {}); // The next clip loads now.
}
let lastWasPractice = false;

function lock(state) {
  for (const set of state.fields.querySelectorAll("fieldset")) set.disabled = true;
  state.next.disabled = true;
}
function open(state) {
  if (state.opened === null) state.opened = performance.now();
  for (const set of state.fields.querySelectorAll("fieldset")) set.disabled = false;
  state.hint.hidden = !state.trace;
  if (state.trace) state.hint.textContent = texts.trace_done;
  check(state);
}
function check(state) {
  state.next.disabled = state.opened === null || !state.traced || (state.trace && state.trace.isRecording)
    || state.item.fields.some((field) => state.values[field.key] === undefined);
}

function playerOf(state) {
  const tag = state.item.media;
  const player = make(tag, "", { src: state.item.source, preload: "auto", playsinline: true, id: "player" });
  const play = button(texts.play, () => {
    if (state.trace && state.trace.isRecording) { player.play().catch(() => {}); play.disabled = true; return; }
    player.currentTime = 0;
    if (state.trace) { state.trace.start(); check(state); }
    player.play().then(() => { plays.set(state.position, (plays.get(state.position) || 0) + 1); play.disabled = true; }, () => {});
  }, "main", "play");
  player.addEventListener("ended", () => {
    play.disabled = false;
    play.textContent = texts.play_again;
    play.className = "";
    if (state.trace && !state.trace.finish()) {
      state.hint.textContent = texts.trace_incomplete;
      check(state);
      return;
    }
    state.traced = state.item.traced = true;
    const first = state.opened === null;
    open(state);
    if (first && state.item.fields.length) focusFirst(state);
    else if (state.trace) state.next.focus({ preventScroll: true });
  });
  // A hidden page is slowed down: a trace goes on when it is seen again.
  player.addEventListener("pause", () => {
    if (state.trace && state.trace.isRecording && !player.ended) {
      play.disabled = false;
      play.textContent = texts.continue;
    }
  });
  player.addEventListener("playing", () => { play.textContent = texts.play; });
  player.addEventListener("error", () => { play.disabled = false; });
  state.play = play;
  state.player = player;
  return make("div", [tag === "video" ? player : null, make("div", [play, tag === "audio" ? player : null],
    { class: "row" })]);
}

function focusFirst(state) {
  const first = state.fields.querySelector("input:checked, input");
  if (first) first.focus({ preventScroll: true });
}

/* Answers */

function answered(state) {
  if (state.next.disabled || screen !== state) return;
  const { item, position } = state;
  const known = item.given || item.answer;
  if (known && item.fields.every((field) => known[field.key] === state.values[field.key])) {
    goOn(position + 1); // Looked at again, and not changed.
    return;
  }
  const revision = Math.max(revisions.get(position) || 0, item.revision);
  revisions.set(position, revision + 1);
  const values = Object.fromEntries(item.fields.map((field) => [field.key, state.values[field.key]]));
  item.given = values;
  queue.push({
    position, clip: item.clip, values, revision,
    seconds: Math.max(0, performance.now() - state.opened - state.lost) / 1000,
    plays: plays.get(position) || 0,
  });
  keepQueue();
  send();
  goOn(position + 1);
}

function sendTrace(state, chunk) {
  queue.push({ what: "trace", position: state.position, clip: state.item.clip, ...chunk });
  keepQueue();
  send();
}

async function send() {
  if (sending) return;
  sending = true;
  while (queue.length) {
    const { position, what, ...body } = queue[0];
    say(texts.saving || "");
    try {
      const found = await ask(`items/${position}/${what || "answer"}`, body);
      queue.shift();
      keepQueue();
      wait = 1000;
      if (found.error) { sending = false; end(found.error); return; }
      say(texts.saved || "");
    } catch (error) {
      if (error instanceof Gone) { sending = false; gone(); return; }
      say(texts.not_saved || "");
      await new Promise((done) => { wake = done; setTimeout(done, wait); });
      wait = Math.min(2 * wait, 15000);
    }
  }
  sending = false;
  for (const done of waiting.splice(0)) done();
}
let wake = () => {};
const waiting = [];
function drained() {
  send();
  return queue.length || sending ? new Promise((done) => waiting.push(done)) : Promise.resolve();
}
window.addEventListener("online", () => wake());

// What the page is hidden for is not time to answer.
let hiddenAt = null;
document.addEventListener("visibilitychange", () => {
  if (document.hidden && screen && screen.trace && screen.trace.isRecording) screen.player.pause();
  if (document.hidden) hiddenAt = performance.now();
  else if (hiddenAt !== null) {
    if (screen && screen.opened !== null && screen.opened < hiddenAt) {
      screen.lost += performance.now() - hiddenAt;
    }
    hiddenAt = null;
  }
});

/* Keys: space plays, arrows and digits answer, Enter goes on. */
document.addEventListener("keydown", (event) => {
  if (!screen || event.ctrlKey || event.altKey || event.metaKey) return;
  const onButton = event.target.tagName === "BUTTON";
  if (event.key === " " && screen.play && !onButton) {
    event.preventDefault();
    if (!screen.play.disabled) screen.play.click();
  } else if (event.key === "Enter" && (!onButton || event.target === screen.play)
      && screen.next && !screen.next.disabled) {
    event.preventDefault();
    screen.next.click();
  } else if (event.key.startsWith("Arrow") && screen.trace && screen.trace.isRecording) {
    event.preventDefault();
    screen.trace.key(event.key);
  } else if (event.key.startsWith("Arrow") && event.target.tagName !== "INPUT") {
    if (screen.fields && screen.opened !== null) { event.preventDefault(); focusFirst(screen); }
  } else if (/^[1-9]$/.test(event.key)) {
    const set = event.target.closest("fieldset") || (screen.fields && screen.fields.querySelector("fieldset"));
    const radio = set && !set.disabled && set.querySelectorAll("input[type=radio]")[Number(event.key) - 1];
    if (radio) radio.click();
  }
});

(async () => {
  info = await patiently(() => ask("start"));
  texts = info.texts;
  document.documentElement.lang = info.language;
  if (!info.state.has_consented) { askConsent(); return; }
  if (queue.length) {
    await drained(); // Answers that this device could not send before.
    info = await patiently(() => ask("start"));
  }
  if (info.state.next === null) finish(); else showItem(info.state.next);
})();
