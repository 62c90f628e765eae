// The list of files: each one of a short list, of a long one only those that went wrong.

const MOST_ROWS = 60;
const MOST_PROBLEMS = 200;

const isProblem = (entry) => entry.state === "refused" || entry.state === "failed";

export class Rows {
  #list;
  #say;
  #data;
  #rows = new Map();
  #isLong = false;

  constructor(list, data, say) {
    this.#list = list;
    this.#data = data;
    this.#say = say;
  }

  get isLong() {
    return this.#isLong;
  }

  /** How many rows there are. */
  get size() {
    return this.#rows.size;
  }

  /** Shows the chosen files anew. */
  reset(entries) {
    this.#list.replaceChildren();
    this.#rows.clear();
    this.#isLong = entries.length > MOST_ROWS;
    for (const entry of entries) this.tell(entry);
  }

  /** Shows where a file stands. */
  tell(entry) {
    const isShown = this.#rows.has(entry);
    const isWanted = this.#isLong ? isProblem(entry) && this.#rows.size < MOST_PROBLEMS : true;
    if (!isShown && !isWanted) return;
    if (!isShown) this.#add(entry);
    const { outcome, why } = this.#rows.get(entry);
    outcome.dataset.outcome = entry.state;
    outcome.textContent = this.#say(entry.state);
    why.textContent = this.#why(entry);
    why.classList.toggle("error-text", isProblem(entry));
    why.hidden = !why.textContent;
  }

  #add(entry) {
    const row = document.createElement("li");
    const [name, outcome, why] = ["break", "outcome", "why small"].map((className) => {
      const part = document.createElement("span");
      part.className = className;
      return part;
    });
    name.textContent = entry.path;
    row.append(name, outcome, why);
    this.#list.append(row);
    this.#rows.set(entry, { outcome, why });
  }

  #why(entry) {
    if (entry.reason) {
      const code = entry.reason in this.#data.reject ? entry.reason : "other";
      return `${this.#data.reject[code]} ${this.#data.advice[code]}`.replaceAll("{code}", entry.reason);
    }
    return entry.note ? this.#say(entry.note, { path: entry.of }) : entry.detail;
  }
}
