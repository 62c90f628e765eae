// Photos are chosen, compared with what the server has, and only those that are missing are sent.

import { showCount, showSize } from "./amounts.js";
import { listen } from "./choosing.js";
import { Hashing } from "./hashing.js";
import { Progress } from "./progress.js";
import { Rows } from "./rows.js";
import { entryOf, Sending } from "./sending.js";
import { Line, Refusal, Server } from "./server.js";

const PEOPLE_WAIT_FOR = 20; // photos; as many are read in a minute or two, and whoever sends so few waits for them
const DRAWN_MS = 250;
const LONGEST_LABEL = 200;

export function begin() {
  const data = JSON.parse(document.getElementById("upload-data").textContent);
  const say = (key, values = {}) => data.texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  const part = Object.fromEntries([...document.querySelectorAll("[id]")].map((element) => [element.id, element]));
  new UploadForm(part, data, say).listen();
}

class UploadForm {
  #part;
  #data;
  #say;
  #entries = [];
  #keys = new Set(); // what was chosen already, so that choosing it twice changes nothing
  #skipped = [];
  #tally = { new: 0, known: 0, refused: 0, failed: 0 };
  #batch;
  #facts = null; // what each file is announced with, once that is settled
  #refusal = "";
  #drawing = 0;
  // one batch for this page, however often opening it has to be tried
  #batchKey = crypto.randomUUID();

  constructor(part, data, say) {
    this.#part = part;
    this.#data = data;
    this.#say = say;
    this.#batch = data.batch;
    this.rows = new Rows(part.files, data, say);
    this.progress = new Progress(part, say);
    this.line = new Line(() => this.#draw());
    this.server = new Server(this.line);
    this.sending = new Sending({
      server: this.server,
      hashing: new Hashing(data.hash_worker),
      onChange: () => this.#draw(),
      onEntry: (entry) => this.#told(entry),
    });
  }

  listen() {
    const part = this.#part;
    document.body.classList.add("scripted");
    listen({
      form: part["upload-form"],
      drop: part.drop,
      onLooking: (is) => (part.looking.hidden = !is),
      take: (chosen) => this.#take(chosen),
    });
    part["upload-form"].addEventListener("submit", (event) => {
      event.preventDefault();
      this.#start();
    });
    part.clear.addEventListener("click", () => this.#clear());
    part.pause.addEventListener("click", () =>
      this.sending.isPaused ? this.sending.resume() : this.sending.pause(),
    );
    part["send-again"].addEventListener("click", () => this.#sendAgain());
    addEventListener("beforeunload", (event) => {
      if (this.sending.isRunning) event.preventDefault();
    });
    this.#show();
  }

  #take({ photos, skipped }) {
    const added = [];
    for (const { file, path, size } of photos) {
      const key = `${path}|${size}|${file.lastModified}`;
      if (this.#keys.has(key)) continue;
      this.#keys.add(key);
      added.push(entryOf(file, path));
    }
    this.#entries.push(...added);
    this.#skipped.push(...skipped);
    if (this.#entries.length) this.#part.empty.hidden = true;
    else this.#complain("no_photos");
    this.rows.reset(this.#entries);
    if (this.#facts !== null && added.length) this.sending.start(this.#batch, this.#facts, added);
    this.#show();
  }

  #clear() {
    this.#entries = [];
    this.#skipped = [];
    this.#keys.clear();
    this.rows.reset([]);
    this.#show();
  }

  async #start() {
    if (!this.#entries.length) return this.#complain("nothing");
    if (this.#facts !== null) return;
    this.#facts = this.#said(["plot"]);
    this.#refusal = "";
    const about = this.#said(["label", "cemetery", "commune", "province", "collector", "device"]);
    this.#show();
    try {
      this.#batch ??= (await this.server.openBatch(this.#asked(about))).id;
      this.sending.start(this.#batch, this.#facts, [...this.#entries]);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#refusal = error.message;
      this.#facts = null;
    }
    this.#draw();
  }

  #asked(about) {
    const [first] = this.#entries;
    const folder = first.path.split("/")[0];
    return {
      ...about,
      label: about.label ?? about.cemetery ?? folder.slice(0, LONGEST_LABEL),
      key: this.#batchKey,
      priority: this.#entries.length <= PEOPLE_WAIT_FOR ? "waiting" : "bulk",
    };
  }

  #complain(key) {
    this.#part.empty.textContent = this.#say(key);
    this.#part.empty.hidden = false;
  }

  /** What the person wrote into some fields; nothing for those that are empty. */
  #said(names) {
    const fields = new FormData(this.#part["upload-form"]);
    const written = names.map((name) => [name, String(fields.get(name) ?? "").normalize("NFC").trim()]);
    return Object.fromEntries(written.filter(([, text]) => text));
  }

  #sendAgain() {
    const again = this.#entries.filter((entry) => entry.state === "failed");
    for (const entry of again) {
      entry.tries = 0;
      entry.state = "waiting";
      this.#told(entry);
    }
    this.sending.start(this.#batch, this.#facts, again);
  }

  #told(entry) {
    if (entry.counted) this.#tally[entry.counted] -= 1;
    entry.counted = entry.state in this.#tally ? entry.state : "";
    if (entry.counted) this.#tally[entry.counted] += 1;
    this.rows.tell(entry);
  }

  /** Draws a few times a second at most, however much happens. */
  #draw() {
    this.#drawing ||= setTimeout(() => {
      this.#drawing = 0;
      this.#show();
    }, DRAWN_MS);
  }

  #show() {
    const part = this.#part;
    const tally = this.#tally;
    const settled = tally.new + tally.known + tally.refused + tally.failed;
    const started = this.#facts !== null;
    const finished = started && settled === this.#entries.length && !this.sending.isRunning;
    const phase = this.#phase(started, finished);
    document.body.classList.toggle("sending", started);
    part["list-panel"].hidden = !this.#entries.length;
    part.progress.hidden = !started;
    part["send-bar"].hidden = !this.#entries.length;
    part.send.textContent = this.#say("send_count", { count: showCount(this.#entries.length) });
    part.pause.hidden = !started || finished;
    part.pause.textContent = this.#say(this.sending.isPaused ? "go_on" : "pause");
    part["send-again"].hidden = !finished || !tally.failed;
    part["go-verify"].hidden = !finished || !(tally.new + tally.known);
    part["upload-more"].hidden = !finished;
    part["open-batch"].hidden = this.#batch === null;
    if (this.#batch !== null) part["open-batch"].href = `/batches/${this.#batch}`;
    this.#showChosen();
    if (started) this.progress.show(this.#entries, tally, { finished, isMoving: phase === "sending" || phase === "checking" });
    this.progress.say(phase, { count: showCount(tally.failed), reason: this.#refusal || this.sending.refusal });
    const unseen = tally.refused + tally.failed - this.rows.size;
    part["problems-title"].hidden = !this.rows.isLong || !this.rows.size;
    part["more-problems"].hidden = !this.rows.isLong || unseen <= 0;
    part["more-problems"].textContent = this.#say("more_problems", { count: showCount(unseen) });
  }

  #phase(started, finished) {
    if (this.#refusal || this.sending.refusal !== null) return "refused";
    if (!started) return "";
    if (finished) return this.#tally.failed ? "partly" : "done";
    if (this.sending.isPaused) return "paused";
    if (this.line.isDown) return "waiting";
    return this.sending.isSending ? "sending" : "checking";
  }

  #showChosen() {
    const bytes = this.#entries.reduce((sum, entry) => sum + entry.file.size, 0);
    const [part, count] = [this.#part, showCount(this.#entries.length)];
    part.chosen.textContent = this.#say("chosen", { count, size: showSize(bytes) });
    part.skipped.hidden = !this.#skipped.length;
    part.skipped.textContent = this.#say("skipped", {
      count: showCount(this.#skipped.length),
      names: this.#skipped.slice(0, 2).join(", "),
    });
  }
}
