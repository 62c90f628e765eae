// The verification page: which draft is shown, what the keys do, what happens after a decision.
//
// The next drafts are fetched ahead and their photos decoded. A decision shows the next draft at once and travels to the
// server meanwhile (saving.js); should it be refused, it comes back as a message with a way to reopen the draft.

import { loadPhoto } from "./crops.js";
import { DraftForm } from "./form.js";
import { refusal } from "./refusal.js";
import { Saving } from "./saving.js";
import { post } from "./server.js";
import { apart, detachable, ShotList } from "./shots.js";
import { PhotoViewer } from "./viewer.js";

const AHEAD = 2;
const LOOK_AGAIN_MS = 10_000;
// A second press that follows a new draft faster than a person can look at it was meant for the one before.
const TOO_SOON_MS = 300;

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("verify-data").textContent);
const texts = data.texts;
const say = (key, values = {}) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

const root = byId("draft-form");
const viewer = new PhotoViewer({
  stage: byId("viewer"), boxes: byId("boxes"), message: byId("photo-message"),
  onLineChosen: (index) => {
    const field = form.fieldOfLine(index);
    if (field) form.focus(field);
    else viewer.mark([index]);
  },
});
const form = new DraftForm(root, {
  texts, levels: data.levels,
  onFocus: (field, lines, hovering) => (hovering ? viewer.mark(lines) : viewer.reveal(lines)),
  onChange: () => {
    byId("accept-label").textContent = current && Object.keys(form.changes()).length ? texts.accept_corrected : texts.accept;
  },
});
const shots = new ShotList(byId("shots"), {
  say,
  onSee: (shot) => {
    if (shot) viewer.show({ url: shot.url, width_px: 0, stones: [] }, []);
    else viewer.show(current.photo, current.lines);
    byId("photo-file").textContent = (shot ?? current.photo).file_name;
    announce(shot ? say("shot_shown", { name: shot.file_name }) : "");
  },
  onDetach: detach,
  onSameGrave: () => decide("same_grave"),
});
const saving = new Saving({
  onSaved: (decision, body) => {
    if (decision.verdict !== "accept") announce(say(`saved_${decision.verdict}`, decision));
    else announce(say(decision.fields ? "saved_corrected" : "saved_accepted", { title: body.title, name: body.title }));
    left = body.left;
    showCounts();
  },
  onRefused: (decision, answer) => {
    showRefusal(decision, answer);
    byId("last").textContent = "";
  },
  onState: (count, offline) => {
    byId("pending").textContent = offline ? texts.offline : count ? say("saving", { count }) : "";
  },
});

let current = null;
let shownAt = 0;
let left = data.left;
let ahead = [];
let fetching = null;
const passed = []; // what the person did, last at the end: {draft, entered, skipped}
const skipped = new Set();
let lastId = 0;

function show(draft, entered) {
  current = draft;
  lastId = Math.max(lastId, draft.id);
  byId("empty").hidden = true;
  root.hidden = false;
  document.querySelector(".photo-pane").hidden = false;
  form.fill(draft, entered);
  viewer.show(draft.photo, draft.lines);
  byId("photo-file").textContent = draft.photo.file_name;
  shots.show(draft);
  showNotes(draft);
  showOtherLines(draft);
  byId("more-fields").open = draft.uses_more;
  byId("fields-scroll").scrollTop = 0;
  if (!byId("help").open) form.focus(form.firstInNeed());
  warn("");
  shownAt = performance.now();
  showCounts();
  history.replaceState(null, "", `/verify/${draft.id}`);
  document.body.dataset.draft = draft.id;
  fetchAhead();
}

function showNotes(draft) {
  const notes = draft.decided ? [{ text: `${texts.already} (${draft.decided})`, attention: true }, ...draft.notes] : draft.notes;
  byId("draft-notes").replaceChildren(...notes.map((note) => {
    const item = document.createElement("li");
    item.className = note.attention ? "note attention" : "note";
    item.textContent = note.text;
    return item;
  }));
}

function showOtherLines(draft) {
  byId("other-count").textContent = draft.other_lines.length;
  byId("other-lines").replaceChildren(...draft.other_lines.map((index) => {
    const line = draft.lines[index];
    const item = document.createElement("li");
    const level = document.createElement("span");
    level.className = "level";
    level.dataset.level = line.level;
    level.textContent = data.levels[line.level];
    const text = document.createElement("span");
    text.textContent = line.text;
    item.append(level, text);
    item.addEventListener("mouseenter", () => viewer.mark([index]));
    return item;
  }));
}

function showCounts() {
  byId("left").textContent = say("left", { count: left });
}

function announce(text) {
  byId("last").textContent = text;
}

// Stays until the person does something else; it floats, so that nothing moves under their hands.
function warn(text) {
  byId("warning").textContent = text;
}

// Drafts ahead

function fetchAhead() {
  if (ahead.length >= AHEAD) return Promise.resolve();
  fetching ??= (async () => {
    const hidden = [current?.id, ...ahead.map((draft) => draft.id), ...skipped, ...saving.waiting.map((one) => one.record)];
    const answer = await post("/verify/drafts", { after: lastId, count: AHEAD - ahead.length, hidden: hidden.filter(Boolean) });
    if (answer.ok) {
      left = answer.body.left;
      for (const draft of answer.body.drafts) {
        lastId = Math.max(lastId, draft.id);
        ahead.push(draft);
        loadPhoto(draft.photo.url);
      }
    }
  })().finally(() => {
    fetching = null;
  });
  return fetching;
}

async function next() {
  if (!ahead.length) {
    hold(true);
    await fetchAhead();
    hold(false);
  }
  const draft = ahead.shift();
  if (draft) show(draft);
  else showEmpty();
}

// While there is nothing to show, the form says so and takes no keys that would be lost.
function hold(on) {
  root.inert = on;
  root.setAttribute("aria-busy", String(on));
  if (on) announce(texts.loading);
}

function showEmpty() {
  current = null;
  viewer.clear();
  root.hidden = true;
  document.querySelector(".photo-pane").hidden = true;
  byId("empty").hidden = false;
  byId("empty-message").textContent = "";
  byId("empty-skipped").hidden = !skipped.size;
  delete document.body.dataset.draft;
  history.replaceState(null, "", "/verify");
}

setInterval(async () => {
  if (current || document.hidden) return;
  await fetchAhead();
  if (!current && ahead.length) next();
}, LOOK_AGAIN_MS);

// Decisions

function decide(verdict) {
  if (root.inert) return;
  if (verdict === "undo") return undo();
  if (!current) return;
  if (performance.now() - shownAt < TOO_SOON_MS) return warn(texts.too_fast);
  if (verdict === "skip") return skip();
  let fields;
  if (verdict === "accept") {
    if (viewer.failed) return warn(texts.photo_failed);
    const invalid = form.invalid();
    if (invalid) {
      form.focus(invalid);
      return warn(say("invalid_left", { message: invalid.error.textContent }));
    }
    const weak = form.weakUnchecked();
    if (weak.length) {
      form.focus(weak[0]);
      return warn(say("weak_left", { count: weak.length }));
    }
    if (current.shots.asks) return warn(texts.say_which_grave);
    const changed = form.changes();
    if (Object.keys(changed).length) fields = changed;
  }
  if (verdict === "same_grave" && !current.shots.asks) return warn(texts.no_same_grave);
  // those on the page follow what is accepted; one that was attached since then asks a person by itself
  const follow = verdict === "accept" ? current.shots.shots.filter((shot) => shot.waits).map((shot) => shot.record) : [];
  ahead = ahead.filter((draft) => !follow.includes(draft.id));
  const decision = { record: current.id, version: current.version, verdict, fields, shots: follow, title: current.title, draft: current };
  passed.push({ draft: current, entered: form.changes(), skipped: false });
  left = Math.max(0, left - (current.decided ? 0 : 1) - follow.length);
  saving.add(decision);
  next();
}

// Tell shots apart that show no grave of the draft's: others, or the draft itself. It stays on screen with what was typed.
function detach(records) {
  if (root.inert || !current) return;
  if (performance.now() - shownAt < TOO_SOON_MS) return warn(texts.too_fast);
  if (!records.length) return warn(texts.no_shot);
  const entered = form.changes();
  const { draft, decisions } = apart(current, records);
  for (const decision of decisions) {
    passed.push({ draft: current, entered, skipped: false });
    saving.add({ ...decision, title: current.title, draft: current });
  }
  show(draft, entered);
}

function skip() {
  skipped.add(current.id);
  passed.push({ draft: current, entered: form.changes(), skipped: true });
  announce(texts.saved_skipped);
  next();
}

async function undo() {
  const step = passed.pop();
  if (step?.skipped) {
    skipped.delete(step.draft.id);
    putBack();
    show(step.draft, step.entered);
    return announce(texts.undone);
  }
  hold(true);
  await saving.settled();
  const answer = await post("/verify/undo", {});
  hold(false);
  if (!answer.ok) {
    const why = answer.status === 404 ? texts.nothing_to_undo : answer.body.detail ?? texts.offline;
    byId("empty-message").textContent = why;
    return warn(why);
  }
  const draft = answer.body.draft;
  if (current?.id !== draft.id) putBack();
  const together = [draft.id, ...draft.shots.shots.map((shot) => shot.record)];
  ahead = ahead.filter((one) => !together.includes(one.id));
  show(draft, step?.draft.id === draft.id ? step.entered : {});
  return announce(texts.undone);
}

// The draft on screen goes back to the front of those ahead.
function putBack() {
  if (current && !current.decided) ahead.unshift(current);
}

function showRefusal(decision, answer) {
  byId("messages").append(refusal(decision, answer, {
    say,
    close: data.close,
    onReopen: () => {
      putBack();
      show(decision.draft, decision.fields ?? {});
    },
  }));
}

// Keys. Letters are matched by their place on the keyboard (`code`), which input methods for Vietnamese leave alone, and
// nothing is done while such a method is composing.

const ALT_KEYS = {
  KeyK: () => decide("cannot_read"),
  KeyB: () => decide("not_a_headstone"),
  KeyG: () => detach(detachable(current)),
  KeyM: () => decide("same_grave"),
  KeyS: () => decide("skip"),
  KeyZ: () => decide("undo"),
  KeyL: () => viewer.act("rotate_left"),
  KeyR: () => viewer.act("rotate_right"),
  Digit0: () => viewer.act("whole"),
  Numpad0: () => viewer.act("whole"),
  Equal: () => viewer.act("zoom_in"),
  NumpadAdd: () => viewer.act("zoom_in"),
  Minus: () => viewer.act("zoom_out"),
  NumpadSubtract: () => viewer.act("zoom_out"),
};
const ALT_KEYS_IN_FIELD = {
  KeyX: (field) => form.blank(field),
  KeyN: (field) => (document.activeElement === field.cut ? field.value : form.main(field)).focus(),
  ArrowDown: (field) => form.nextOther(field),
};

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229) return;
  if (!["Control", "Alt", "Shift", "Meta"].includes(event.key)) warn("");
  if (byId("help").open) return;
  if (!current) {
    if (event.altKey && event.code === "KeyZ") decide("undo");
    return;
  }
  const field = form.fieldOf(event.target);
  const isTyping = event.target.matches?.("input, select, textarea");
  if (event.altKey && !event.ctrlKey && !event.metaKey) {
    const act = (field && ALT_KEYS_IN_FIELD[event.code]) || ALT_KEYS[event.code];
    if (act && !(event.target.matches?.("select") && event.code === "ArrowDown")) {
      event.preventDefault();
      if (!event.repeat || event.code === "ArrowDown") act(field);
    }
  } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    if (!event.repeat) decide("accept");
  } else if (event.key === "Enter" && event.shiftKey && field?.name === "persons") {
    // a further person on a line of their own
  } else if (event.key === "Enter" && field && isTyping) {
    event.preventDefault();
    if (!event.repeat) confirm(field);
  } else if (event.key === "Escape" && field) {
    event.preventDefault();
    form.restore(field);
  } else if (event.key === "F1" || (event.key === "?" && !isTyping)) {
    event.preventDefault();
    byId("help").showModal();
  }
});

function confirm(field) {
  if (performance.now() - shownAt < TOO_SOON_MS) return warn(texts.too_fast);
  const following = form.confirm(field);
  if (following) form.focus(following);
  else decide("accept");
}

root.addEventListener("submit", (event) => {
  event.preventDefault();
  warn("");
  decide(event.submitter?.value ?? "accept");
});
byId("open-help").addEventListener("click", () => byId("help").showModal());
byId("help").addEventListener("close", () => current && form.focus(form.firstInNeed()));
byId("empty-undo").addEventListener("click", () => decide("undo"));
byId("show-skipped").addEventListener("click", () => {
  skipped.clear();
  lastId = 0;
  next();
});
for (const button of document.querySelectorAll("[data-view]")) {
  button.addEventListener("click", () => {
    if (button.dataset.view === "boxes") button.setAttribute("aria-pressed", String(viewer.toggleBoxes()));
    else viewer.act(button.dataset.view);
  });
}

if (data.draft) show(data.draft);
else showEmpty();
