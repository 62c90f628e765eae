// How far an upload is: figures, bar, speed and time left, and in words what happens now.

import { showCount, showSize, showSpan } from "./amounts.js";

const PACE_MS = 30_000; // speed and time left are of the last half minute
const LEAST_PACE_S = 3;

export class Progress {
  #part;
  #say;
  #pace = []; // [time, bytes answered for, bytes sent]

  constructor(part, say) {
    this.#part = part;
    this.#say = say;
  }

  /** Draws where the files stand; `isMoving` says whether a speed means anything. */
  show(entries, tally, { finished, isMoving }) {
    const all = { bytes: 0, answered: 0, sent: 0 };
    for (const entry of entries) {
      all.bytes += entry.file.size;
      all.answered += entry.counted ? entry.file.size : entry.sent_bytes;
      all.sent += entry.sent_bytes;
    }
    const settled = tally.new + tally.known + tally.refused + tally.failed;
    const part = this.#part;
    part.bar.max = Math.max(1, all.bytes);
    part.bar.value = finished ? part.bar.max : all.answered;
    for (const outcome of ["new", "known", "refused"]) part[`n-${outcome}`].textContent = showCount(tally[outcome]);
    part["n-left"].textContent = showCount(entries.length - settled + tally.failed);
    part["files-done"].textContent = this.#say("progress_files", {
      done: showCount(settled),
      total: showCount(entries.length),
    });
    part["bytes-done"].textContent = this.#say("progress_bytes", {
      done: showSize(all.answered),
      total: showSize(all.bytes),
    });
    part.pace.textContent = isMoving ? this.#paceOf(all) : "";
  }

  /** Says what happens now; read aloud, so the text changes only when that does. */
  say(phase, values) {
    const text = phase ? this.#say(`phase_${phase}`, values) : "";
    if (this.#part.phase.textContent !== text) this.#part.phase.textContent = text;
    this.#part.phase.dataset.phase = phase;
  }

  #paceOf({ bytes, answered, sent }) {
    const now = performance.now();
    this.#pace.push([now, answered, sent]);
    while (this.#pace.length > 2 && now - this.#pace[0][0] > PACE_MS) this.#pace.shift();
    const [since, answeredThen, sentThen] = this.#pace[0];
    const seconds = (now - since) / 1000;
    if (seconds < LEAST_PACE_S) return "";
    const speed = (sent - sentThen) / seconds;
    const settling = (answered - answeredThen) / seconds;
    const shown = [];
    if (speed > 0) shown.push(this.#say("speed", { speed: showSize(speed) }));
    if (settling > 0) {
      shown.push(this.#say("time_left", { time: showSpan((bytes - answered) / settling, this.#say) }));
    }
    return shown.join(" · ");
  }
}
