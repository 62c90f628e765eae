// The way of a file: chosen → hashed → announced → sent, where the server has not got it yet. Every file ends in one of
// new, known, refused or failed, and whatever breaks off goes on from there: the server knows what it has.

import { mayPass, Refusal } from "./server.js";
import { Transfer } from "./transfer.js";

const ANNOUNCED_AT_ONCE = 200;
const MOST_TRIES = 4;
const SETTLED = new Set(["new", "known", "refused", "failed"]);

export class Sending {
  #server;
  #hashing;
  #transfer;
  #onChange;
  #onEntry;
  #batch = null;
  #facts = null; // what every file of this batch is announced with
  #soon = 1; // how many files are announced together while none is on its way
  #waiting = []; // to be hashed
  #hashed = []; // to be announced
  #ready = []; // to be sent
  #stored = []; // in the object store, to be confirmed
  #same = new Map(); // sha256 → entries with these bytes; one of them is sent for all
  #busy = new Set(); // loops that run
  #paused = false;
  refusal = null;

  constructor({ server, hashing, onChange, onEntry }) {
    this.#server = server;
    this.#hashing = hashing;
    this.#onChange = onChange;
    this.#onEntry = onEntry;
    this.#transfer = new Transfer({
      onSent: (entry, answer) => this.#sent(entry, answer),
      onFailed: (entry, request) => this.#run(`failure of ${entry.path}`, () => this.#failed(entry, request)),
      onProgress: () => this.#onChange(),
      onStalled: () => this.#lineDropped(),
    });
  }

  get isPaused() {
    return this.#paused;
  }

  get isRunning() {
    return this.#busy.size > 0 || !this.#transfer.isEmpty;
  }

  get isSending() {
    return !this.#transfer.isEmpty || this.#ready.length > 0;
  }

  get isChecking() {
    return this.#waiting.length > 0 || this.#hashed.length > 0;
  }

  /** Sends files into a batch; `facts` are said of each of them. */
  start(batch, facts, entries) {
    this.#batch = batch;
    this.#facts = facts;
    this.refusal = null;
    this.#waiting.push(...entries);
    this.#goOn();
  }

  pause() {
    this.#paused = true;
    this.#takeBack();
    this.#onChange();
  }

  resume() {
    this.#paused = false;
    this.#goOn();
  }

  #goOn() {
    this.#run("check", () => this.#check());
    this.#run("confirm", () => this.#confirm());
    this.#feed();
    this.#onChange();
  }

  /** Runs a loop unless it runs already; what the server refuses ends everything. */
  async #run(name, loop) {
    if (this.#busy.has(name)) return;
    this.#busy.add(name);
    try {
      await loop();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.refusal = error.message;
      this.#giveUp();
    } finally {
      this.#busy.delete(name);
      this.#onChange();
    }
  }

  async #check() {
    while (!this.#paused && this.isChecking) {
      const entry = this.#waiting.shift();
      if (entry) {
        this.#tell(entry, "checking");
        const sha256 = await this.#hashing.sha256(entry.file);
        if (sha256 === null) {
          this.#fail(entry, { note: "unreadable" });
        } else {
          entry.sha256 = sha256;
          this.#hashed.push(entry);
        }
      }
      const enough = this.isSending ? ANNOUNCED_AT_ONCE : this.#soon;
      if (this.#hashed.length >= enough || !this.#waiting.length) await this.#announce();
    }
  }

  async #announce() {
    const group = this.#hashed.slice(0, ANNOUNCED_AT_ONCE);
    if (!group.length) return;
    const told = group.map((entry) => ({
      path: entry.path,
      sha256: entry.sha256,
      size_bytes: entry.file.size,
      ...this.#facts,
    }));
    const files = await this.#server.announce(this.#batch, told);
    this.#hashed.splice(0, group.length);
    group.forEach((entry, index) => this.#place(entry, files[index]));
    // the first missing file is sent at once; where nothing is missing so far, more are asked about each time
    this.#soon = this.#ready.length ? 1 : Math.min(2 * this.#soon, ANNOUNCED_AT_ONCE);
    this.#feed();
  }

  /** What the announcement of a file says: it is wanted, it is a copy of one that is on its way, or it is settled. */
  #place(entry, answer) {
    const others = (this.#same.get(entry.sha256) ?? []).filter((twin) => twin !== entry);
    const first = others.find((twin) => !SETTLED.has(twin.state) && twin.isFirst);
    this.#same.set(entry.sha256, [...others, entry]);
    if (!answer.upload) return this.#settle(entry, answer, "known");
    entry.upload = answer.upload;
    entry.until = answer.upload.complete ? Date.now() + (1000 * answer.upload.expires_s) / 2 : Infinity;
    entry.isFirst = !first;
    this.#tell(entry, "waiting", { note: first ? "twin" : "", of: first?.path });
    if (!first) this.#ready.push(entry);
  }

  #feed() {
    if (this.#paused || this.refusal !== null || this.#busy.has("wait")) return;
    const next = [];
    while (next.length < this.#transfer.free && this.#ready.length) {
      const entry = this.#ready.shift();
      if (Date.now() > entry.until) this.#hashed.push(entry);
      else next.push(entry);
    }
    if (this.#hashed.length) this.#run("check", () => this.#check());
    if (!next.length) return;
    for (const entry of next) this.#tell(entry, "sending");
    this.#transfer.send(next);
  }

  #sent(entry, answer) {
    entry.sent_bytes = entry.file.size;
    this.#server.line.held();
    if (entry.upload.complete) {
      this.#stored.push(entry);
      this.#run("confirm", () => this.#confirm());
    } else {
      this.#settle(entry, answer, "new");
    }
    this.#feed();
    this.#onChange();
  }

  async #failed(entry, request) {
    const status = request?.status ?? 0;
    entry.sent_bytes = 0;
    if (!(await isReadable(entry.file))) return this.#fail(entry, { note: "unreadable" });
    if (status !== 0) entry.tries += 1; // a line that is down says nothing about the file
    if (entry.tries >= MOST_TRIES) return this.#fail(entry, { note: "network" });
    if (mayPass(status)) {
      this.#ready.unshift(entry);
      this.#tell(entry, "waiting");
      return this.#lineDropped();
    }
    if (entry.upload.complete) this.#hashed.push(entry); // the address has run out
    else if (status === 422) this.#lookAgain(entry);
    else return this.#fail(entry, { detail: detailOf(request) });
    this.#tell(entry, "waiting");
    this.#goOn();
  }

  /** Everything that is on its way comes back, and goes again once the line may hold. */
  #lineDropped() {
    this.#takeBack();
    this.#run("wait", () => this.#server.line.wait()).then(() => this.#feed());
  }

  #takeBack() {
    const back = this.#transfer.takeBack();
    for (const entry of back) this.#tell(entry, "waiting");
    this.#ready.unshift(...back);
  }

  /** Tells the server, a group at a time, which files its object store has got. */
  async #confirm() {
    while (!this.#paused && this.#stored.length) {
      const group = this.#stored.slice(0, ANNOUNCED_AT_ONCE);
      const files = await this.#server.complete(this.#batch, group.map((entry) => entry.sha256));
      this.#stored.splice(0, group.length);
      const answers = new Map(files.map((file) => [file.sha256, file]));
      for (const entry of group) {
        const answer = answers.get(entry.sha256);
        if (answer && answer.state !== "announced") this.#settle(entry, answer, "new");
        else await this.#failed(entry, { status: 422 });
      }
    }
  }

  /** The file is answered for, and so is every other one with the same bytes. */
  #settle(entry, answer, outcome) {
    const state = answer.state === "refused" ? "refused" : answer.state === "duplicate" ? "known" : outcome;
    const reason = state === "refused" ? codeOf(answer.problem) : "";
    this.#tell(entry, state, { reason });
    for (const twin of this.#same.get(entry.sha256) ?? []) {
      if (!SETTLED.has(twin.state)) {
        this.#tell(twin, state === "refused" ? state : "known", { reason, note: "twin", of: entry.path });
      }
    }
  }

  /** Its bytes are not those that were announced: it was changed since, or they were damaged on the way. */
  #lookAgain(entry) {
    this.#waiting.push(entry);
    this.#passOn(entry);
  }

  #fail(entry, why) {
    this.#tell(entry, "failed", why);
    this.#passOn(entry);
  }

  /** Another file with the same bytes takes the place of one that is not sent. */
  #passOn(entry) {
    entry.isFirst = false;
    const twins = (this.#same.get(entry.sha256) ?? []).filter((twin) => twin !== entry);
    this.#same.set(entry.sha256, twins);
    const heir = twins.find((twin) => !SETTLED.has(twin.state));
    if (!heir) return;
    heir.isFirst = true;
    this.#ready.push(heir);
    this.#feed();
  }

  #giveUp() {
    this.#takeBack();
    const twins = [...this.#same.values()].flat();
    for (const entry of [...this.#waiting, ...this.#hashed, ...this.#ready, ...this.#stored, ...twins]) {
      if (!SETTLED.has(entry.state)) this.#tell(entry, "failed", { detail: this.refusal });
    }
    this.#waiting = [];
    this.#hashed = [];
    this.#ready = [];
    this.#stored = [];
  }

  #tell(entry, state, { reason = "", note = "", of = "", detail = "" } = {}) {
    Object.assign(entry, { state, reason, note, of, detail });
    this.#onEntry(entry);
    this.#onChange();
  }
}

/** A chosen file as it is followed here. */
export const entryOf = (file, path) => ({
  file,
  path,
  state: "waiting",
  sha256: null,
  upload: null, // where its bytes are wanted, and until when that address is sure to hold
  until: Infinity,
  isFirst: false,
  sent_bytes: 0,
  counted: "",
  tries: 0,
  reason: "",
  note: "",
  of: "",
  detail: "",
});

async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** The reason that a problem of a file names: its type ends in `file-not-an-image`. */
const codeOf = (problem) => (problem?.type ?? "").replace(/^.*file-/, "").replaceAll("-", "_");

function detailOf(request) {
  try {
    return JSON.parse(request.responseText).detail ?? "";
  } catch {
    return String(request.status);
  }
}
