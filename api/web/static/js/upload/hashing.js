// Asks the worker for SHA-256 sums, one file at a time: a disk reads one file faster than two.

export class Hashing {
  #worker;
  #waiting = new Map();
  #number = 0;

  constructor(address) {
    this.#worker = new Worker(address);
    this.#worker.onmessage = ({ data }) => {
      this.#waiting.get(data.number)(data.sha256);
      this.#waiting.delete(data.number);
    };
  }

  /** The sum in lower-case digits; null where the file can no longer be read. */
  sha256(file) {
    const number = this.#number++;
    return new Promise((resolve) => {
      this.#waiting.set(number, resolve);
      this.#worker.postMessage({ number, file });
    });
  }
}
