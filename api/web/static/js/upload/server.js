// The JSON API as the upload page uses it. A line that drops is waited for, as long as it takes; a refusal is not.

const API = "/api/v1/batches";
const LONGEST_WAIT_S = 30;

/** What the server said no to; asking again would not help. */
export class Refusal extends Error {}

/** Whether an answer (0: none came) may be another one later. */
export const mayPass = (status) => status === 0 || status === 408 || status === 429 || status >= 500;

/** Waits longer after each failure in a row, until the browser sees a network again at the most. */
export class Line {
  #failures = 0;
  #onChange;

  constructor(onChange) {
    this.#onChange = onChange;
  }

  get isDown() {
    return this.#failures > 0;
  }

  held() {
    if (!this.isDown) return;
    this.#failures = 0;
    this.#onChange();
  }

  async wait() {
    this.#failures += 1;
    this.#onChange();
    const wait_s = Math.min(LONGEST_WAIT_S, 2 ** (this.#failures - 1));
    await new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        removeEventListener("online", end);
        resolve();
      };
      const timer = setTimeout(end, wait_s * 1000);
      addEventListener("online", end);
    });
  }
}

export class Server {
  constructor(line) {
    this.line = line;
  }

  /** Opens a batch, or finds the one that was opened with the same key: a lost answer opens no second one. */
  openBatch(facts) {
    return this.#post(API, facts);
  }

  /** Where each file stands, in order, and where its bytes are wanted. */
  async announce(batch, files) {
    return (await this.#post(`${API}/${batch}/files`, { files })).files;
  }

  /** Says which files were put into the object store; where each of them stands. */
  async complete(batch, sha256) {
    return (await this.#post(`${API}/${batch}/files/complete`, { sha256 })).files;
  }

  async #post(address, body) {
    for (;;) {
      let response = null;
      try {
        response = await fetch(address, {
          method: "POST",
          body: JSON.stringify(body),
          headers: { "Content-Type": "application/json", Accept: "application/json" },
        });
        if (response.ok) {
          const answer = await response.json();
          this.line.held();
          return answer;
        }
      } catch {
        response = null; // also an answer that broke off
      }
      if (response && !mayPass(response.status)) {
        const problem = await response.json().catch(() => ({}));
        throw new Refusal(problem.detail ?? String(response.status));
      }
      await this.line.wait();
    }
  }
}
