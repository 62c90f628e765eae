// Uppy sends the bytes: requests, progress, quick retries. Only the few files that are on their way are in its hands,
// for its state is copied with each change, and adding ten thousand files at once takes a page seventeen seconds.

import { mayPass } from "./server.js";

const PARALLEL = 4; // browsers open six connections to one server; the page needs some itself
const AT_ONCE = 24; // so that the next file starts without a timer, which hidden pages get once a second
const STALLED_MS = 60_000;

const quiet = { debug: () => {}, warn: () => {}, error: () => {} };

export class Transfer {
  #uppy = new globalThis.Uppy.Uppy({ logger: quiet });
  #entries = new Map(); // Uppy's id → entry

  /** `onSent(entry, answer)`, `onFailed(entry, request)`, `onProgress()`, `onStalled()` say what happens. */
  constructor({ onSent, onFailed, onProgress, onStalled }) {
    const uppy = this.#uppy;
    uppy.use(globalThis.Uppy.XHRUpload, {
      method: "PUT",
      formData: false,
      limit: PARALLEL,
      timeout: STALLED_MS,
      endpoint: (file) => file.meta.upload.url,
      headers: (file) => file.meta.upload.headers,
      shouldRetry: (request) => mayPass(request.status),
      getResponseData: (request) => (request.responseText ? JSON.parse(request.responseText) : {}),
    });
    uppy.on("upload-progress", (file, { bytesUploaded }) => {
      const entry = this.#entries.get(file.id);
      if (entry) entry.sent_bytes = bytesUploaded;
      onProgress();
    });
    uppy.on("upload-success", (file, { body }) => this.#leave(file, (entry) => onSent(entry, body)));
    uppy.on("upload-error", (file, _error, request) => this.#leave(file, (entry) => onFailed(entry, request)));
    uppy.on("upload-stalled", onStalled);
  }

  get isEmpty() {
    return this.#entries.size === 0;
  }

  /** How many more files may be given now. */
  get free() {
    return AT_ONCE - this.#entries.size;
  }

  send(entries) {
    for (const entry of entries) {
      const { file, path, upload } = entry;
      const meta = { relativePath: path, upload };
      this.#entries.set(this.#uppy.addFile({ name: file.name, type: file.type, data: file, meta }), entry);
    }
    this.#uppy.upload().catch(() => {}); // each file's own event has said what happened
  }

  /** Stops what is on its way and gives it back. */
  takeBack() {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    this.#uppy.cancelAll();
    for (const entry of entries) entry.sent_bytes = 0;
    return entries;
  }

  #leave(file, tell) {
    const entry = this.#entries.get(file.id);
    this.#entries.delete(file.id);
    this.#uppy.removeFile(file.id);
    if (entry) tell(entry);
  }
}
