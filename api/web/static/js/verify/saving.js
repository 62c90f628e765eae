// Decisions on their way to the server, in order, one at a time. The person goes on while they travel; what has not
// arrived survives a reload of the page, and what was refused comes back to the person with everything they typed.

import { post } from "./server.js";

const KEY = "headstone.decisions";
const RETRY_MS = 2000;

export class Saving {
  constructor({ onSaved, onRefused, onState }) {
    this.onSaved = onSaved;
    this.onRefused = onRefused;
    this.onState = onState;
    this.waiting = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    this.sending = null;
    addEventListener("beforeunload", (event) => {
      if (this.waiting.length) event.preventDefault();
    });
    if (this.waiting.length) this.send();
  }

  add(decision) {
    this.waiting.push(decision);
    this.keep();
    return this.send();
  }

  isSaving(recordId) {
    return this.waiting.some((decision) => decision.record === recordId);
  }

  // Resolves when everything that was handed in has an answer.
  settled() {
    return this.sending ?? Promise.resolve();
  }

  send() {
    this.sending ??= this.sendAll().finally(() => {
      this.sending = null;
    });
    return this.sending;
  }

  async sendAll() {
    while (this.waiting.length) {
      const decision = this.waiting[0];
      const { title, draft, ...body } = decision;
      const answer = await post("/verify/decisions", body);
      if (answer.status === 0 || answer.status >= 500) {
        this.onState(this.waiting.length, true);
        await new Promise((resume) => setTimeout(resume, RETRY_MS));
        continue;
      }
      this.waiting.shift();
      this.keep();
      if (answer.ok) this.onSaved(decision, answer.body);
      else this.onRefused(decision, answer);
    }
  }

  keep() {
    sessionStorage.setItem(KEY, JSON.stringify(this.waiting));
    this.onState(this.waiting.length, false);
  }
}
