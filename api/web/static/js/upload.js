// Uploads files one by one, says what became of each, and lets those that failed be sent again. Without this script the
// same form uploads everything in one request.

const form = document.getElementById("upload-form");
const texts = JSON.parse(document.getElementById("upload-texts").textContent);
const say = (key, values = {}) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
const drop = document.getElementById("drop");
const list = document.getElementById("files");
const send = document.getElementById("send");
const bar = document.getElementById("bar");
const summary = document.getElementById("summary");
const PARALLEL = 3;
const SHOWN = 500; // rows; a folder of ten thousand photos must not freeze the page

let chosen = []; // {file, outcome: waiting | sending | new | known | failed, why, row}
let running = false;
let batch = "";

document.body.classList.add("scripted");

function add(files) {
  for (const file of files) {
    if (file.name.startsWith(".")) continue; // what systems put into folders
    const entry = { file, outcome: "waiting", why: "", row: null };
    chosen.push(entry);
    if (chosen.length <= SHOWN) addRow(entry);
  }
  refresh();
}

function addRow(entry) {
  const row = document.createElement("li");
  const name = document.createElement("span");
  name.className = "break";
  name.textContent = entry.file.webkitRelativePath || entry.file.name;
  const outcome = document.createElement("span");
  outcome.className = "outcome";
  const why = document.createElement("span");
  why.className = "why small error-text";
  row.append(name, outcome, why);
  list.append(row);
  entry.row = { outcome, why };
  tell(entry, entry.outcome);
}

function tell(entry, outcome, why = "") {
  entry.outcome = outcome;
  entry.why = why;
  if (!entry.row) return;
  entry.row.outcome.dataset.outcome = outcome;
  entry.row.outcome.textContent = texts[outcome];
  entry.row.why.textContent = why;
  entry.row.why.hidden = !why;
}

function count(...outcomes) {
  return chosen.filter((entry) => outcomes.includes(entry.outcome)).length;
}

function refresh() {
  const open = count("waiting");
  const done = count("new", "known", "failed");
  send.disabled = running || !open;
  send.textContent = open ? say("send_count", { count: open }) : texts.send;
  document.getElementById("clear").hidden = running || !chosen.length;
  document.getElementById("list-panel").hidden = !chosen.length;
  bar.max = Math.max(1, chosen.length);
  bar.value = done;
  const finished = !running && done && !open;
  summary.textContent = finished
    ? say("finished", { new: count("new"), known: count("known"), failed: count("failed") })
    : running ? say("progress", { done, total: chosen.length }) : "";
  document.getElementById("retry").hidden = !finished || !chosen.some((entry) => entry.outcome === "failed" && entry.again);
  document.getElementById("go-verify").hidden = !finished || !count("new", "known");
}

async function upload(entry) {
  tell(entry, "sending");
  const body = new FormData(form);
  body.delete("files");
  body.set("batch", batch);
  body.append("files", entry.file, entry.file.name);
  try {
    const response = await fetch("/upload", { method: "POST", body, headers: { Accept: "application/json" } });
    const answer = await response.json();
    entry.again = response.status >= 500;
    if (!response.ok) return tell(entry, "failed", answer.detail ?? "");
    batch = answer.batch;
    const [result] = answer.files;
    return tell(entry, result.outcome, result.why);
  } catch {
    entry.again = true;
    return tell(entry, "failed", texts.network);
  } finally {
    refresh();
  }
}

async function run() {
  running = true;
  refresh();
  const waiting = chosen.filter((entry) => entry.outcome === "waiting");
  if (waiting.length && !batch) await upload(waiting.shift()); // the first one opens the batch that the others join
  const sendNext = async () => {
    while (waiting.length) await upload(waiting.shift());
  };
  await Promise.all(Array.from({ length: PARALLEL }, sendNext));
  running = false;
  refresh();
}

async function filesOfEntry(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!part.length) return found;
    for (const child of part) found.push(...(await filesOfEntry(child)));
  }
}

for (const input of form.querySelectorAll('input[type="file"]')) {
  input.addEventListener("change", () => {
    add(input.files);
    input.value = "";
  });
}
for (const button of form.querySelectorAll("[data-choose]")) {
  button.addEventListener("click", () => document.getElementById(button.dataset.choose).click());
}
for (const event of ["dragenter", "dragover"]) {
  drop.addEventListener(event, (drag) => {
    drag.preventDefault();
    drop.classList.add("over");
  });
}
for (const event of ["dragleave", "drop"]) drop.addEventListener(event, () => drop.classList.remove("over"));
drop.addEventListener("drop", async (event) => {
  event.preventDefault();
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return add(event.dataTransfer.files);
  for (const entry of entries) add(await filesOfEntry(entry));
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!running) run();
});
document.getElementById("clear").addEventListener("click", () => {
  chosen = [];
  batch = "";
  list.replaceChildren();
  refresh();
});
document.getElementById("retry").addEventListener("click", () => {
  for (const entry of chosen) if (entry.outcome === "failed" && entry.again) tell(entry, "waiting");
  run();
});
addEventListener("beforeunload", (event) => {
  if (running) event.preventDefault();
});
refresh();
