// The form of one draft. Its elements are static; showing the next draft changes values only, so that no key stroke can
// fall into an element that is about to vanish.

import { cropOf, loadPhoto } from "./crops.js";
import { post } from "./server.js";

const PREVIEW_AFTER_MS = 200;
const MAX_CROPS = 3;

// As high as its text, so that nothing of a long hometown is out of sight.
function grow(area) {
  if (area?.tagName !== "TEXTAREA") return;
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + area.offsetHeight - area.clientHeight}px`;
}

export class DraftForm {
  constructor(root, { texts, levels, onFocus, onChange }) {
    this.root = root;
    this.texts = texts;
    this.levels = levels;
    this.onFocus = onFocus;
    this.onChange = onChange;
    this.draft = null;
    this.fields = [...root.querySelectorAll(".field")].map((element) => this.bind(element));
    this.byName = new Map(this.fields.map((field) => [field.name, field]));
    addEventListener("resize", () => this.growAll());
    root.querySelector("#more-fields")?.addEventListener("toggle", () => this.growAll());
  }

  bind(element) {
    const field = {
      name: element.dataset.field,
      element,
      cut: element.querySelector("textarea.cut"),
      value: element.querySelector(".value"),
      level: element.querySelector(".level"),
      said: element.querySelector(".said"),
      crops: element.querySelector(".crops"),
      meaning: element.querySelector(".meaning"),
      error: element.querySelector(".error-text"),
      notes: element.querySelector(".notes"),
      others: element.querySelector(".others"),
      doubts: element.querySelector(".doubts"),
      doubtsSaid: element.querySelector(".entry > .visually-hidden"),
      valueTouched: false,
      checked: false,
      question: 0,
      timer: 0,
    };
    field.cut?.addEventListener("input", () => this.cutEdited(field));
    field.value.addEventListener("input", () => this.valueEdited(field));
    element.querySelector(".blank")?.addEventListener("click", () => {
      this.blank(field);
      this.main(field).focus();
    });
    element.addEventListener("focusin", () => this.onFocus(field, this.shown(field).lines));
    element.addEventListener("mouseenter", () => this.onFocus(field, this.shown(field).lines, true));
    field.crops?.addEventListener("click", () => this.main(field).focus());
    return field;
  }

  growAll() {
    for (const field of this.fields) {
      grow(field.cut);
      grow(field.value);
    }
  }

  main(field) {
    return field.cut ?? field.value;
  }

  shown(field) {
    return this.draft.fields[field.name];
  }

  // Show a draft, with what a person had entered in it before where that is known.
  fill(draft, entered = {}) {
    this.draft = draft;
    this.root.elements.record.value = draft.id;
    this.root.elements.version.value = draft.version;
    for (const field of this.fields) {
      const shown = this.shown(field);
      clearTimeout(field.timer);
      field.question += 1;
      field.checked = false;
      if (field.cut) field.cut.value = entered[field.name]?.cut ?? shown.cut;
      field.value.value = entered[field.name]?.value ?? shown.value;
      field.valueTouched = entered[field.name]?.value !== undefined;
      field.element.dataset.level = shown.level;
      field.level.textContent = this.levels[shown.level];
      this.explain(field, shown);
      this.fillOthers(field, shown);
      this.fillDoubts(field, shown.runs);
      if (entered[field.name]?.cut !== undefined) this.preview(field);
      this.tell(field);
    }
    this.drawCrops(draft);
    this.onChange();
  }

  explain(field, { meaning, notes, error }) {
    field.meaning.textContent = meaning ?? "";
    field.error.textContent = error ?? "";
    field.error.hidden = !error;
    this.main(field).setAttribute("aria-invalid", error ? "true" : "false");
    field.notes.replaceChildren(...(notes ?? []).map((note) => {
      const item = document.createElement("li");
      item.className = note.attention ? "note attention" : "note";
      item.textContent = note.text;
      return item;
    }));
  }

  // Other readings of the words in the photo, then what other photos of the grave read, each with its source.
  fillOthers(field, { others, proposals }) {
    const offered = [...others.map((text) => ({ text })), ...proposals];
    field.others.hidden = !offered.length;
    field.others.replaceChildren(...offered.map(({ text, file_name }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.tabIndex = -1;
      button.lang = "vi";
      button.textContent = text;
      if (file_name) {
        const source = document.createElement("small");
        source.textContent = ` ${this.texts.from_shot.replace("{name}", file_name)}`;
        button.append(source);
      }
      button.addEventListener("click", () => this.takeOther(field, text));
      return button;
    }));
  }

  // The words as read once more, right below themselves, with the letters marked that the reader is not sure of.
  fillDoubts(field, runs) {
    field.doubts?.querySelector(".doubts-text").replaceChildren(...runs.map(({ text, doubtful }) => {
      if (!doubtful) return text;
      const mark = document.createElement("mark");
      mark.textContent = text;
      return mark;
    }));
  }

  // They are said of what was read: not of anything that a person typed instead.
  tellDoubts(field) {
    if (!field.doubts) return;
    const { runs, cut } = this.shown(field);
    const letters = field.cut.value.trim() === cut ? runs.filter((run) => run.doubtful).map((run) => run.text) : [];
    field.doubts.hidden = !letters.length;
    field.doubtsSaid.textContent = letters.length ? this.texts.doubts_said.replace("{letters}", letters.join(", ")) : "";
  }

  async drawCrops(draft) {
    for (const field of this.fields) field.crops?.replaceChildren();
    const image = await loadPhoto(draft.photo.url);
    if (this.draft !== draft) return;
    for (const field of this.fields) {
      if (!field.crops) continue;
      const { lines, cut } = this.shown(field);
      const crops = image ? lines.slice(0, MAX_CROPS).map((i) => draft.lines[i] && cropOf(image, draft.lines[i].quad, draft.photo.width_px)) : [];
      field.crops.replaceChildren(...crops.filter(Boolean));
      if (!lines.length && !cut) {
        const nothing = document.createElement("span");
        nothing.className = "nothing";
        nothing.textContent = this.shown(field).proposals.length ? this.texts.in_other_shot : this.texts.not_on_stone;
        field.crops.append(nothing);
      }
    }
  }

  cutEdited(field) {
    field.checked = false;
    if (!field.valueTouched) {
      clearTimeout(field.timer);
      field.timer = setTimeout(() => this.preview(field), PREVIEW_AFTER_MS);
    }
    this.tell(field);
    this.onChange();
  }

  valueEdited(field) {
    field.valueTouched = true;
    field.question += 1;
    this.explain(field, { notes: this.shown(field).notes });
    this.tell(field);
    this.onChange();
  }

  // Ask the server, which knows the parser, what the words mean; an answer that came too late is dropped.
  async preview(field) {
    const cut = field.cut.value.trim();
    const question = ++field.question;
    if (!cut || cut === this.shown(field).cut) {
      field.value.value = cut ? this.shown(field).value : "";
      grow(field.value);
      this.explain(field, cut ? this.shown(field) : {});
      return;
    }
    const answer = await post("/verify/meaning", { record: this.draft.id, field: field.name, cut });
    if (question !== field.question || !answer.ok) return;
    if (!field.valueTouched) field.value.value = answer.body.value;
    grow(field.value);
    this.explain(field, answer.body);
    this.onChange();
  }

  takeOther(field, text) {
    field.cut.value = text;
    this.cutEdited(field);
    this.main(field).focus();
  }

  nextOther(field) {
    const { cut, others, proposals } = this.shown(field);
    const choices = field.cut ? [cut, ...others, ...proposals.map((one) => one.text)] : [];
    if (choices.length < 2) return;
    field.cut.value = choices[(choices.indexOf(field.cut.value) + 1) % choices.length];
    this.cutEdited(field);
  }

  blank(field) {
    if (field.cut) field.cut.value = "";
    field.value.value = "";
    field.valueTouched = false;
    field.checked = true;
    field.question += 1;
    clearTimeout(field.timer);
    this.explain(field, {});
    this.tell(field);
    this.onChange();
  }

  restore(field) {
    const shown = this.shown(field);
    if (field.cut) field.cut.value = shown.cut;
    field.value.value = shown.value;
    field.valueTouched = false;
    field.checked = false;
    field.question += 1;
    clearTimeout(field.timer);
    this.explain(field, shown);
    this.tell(field);
    this.onChange();
  }

  isBlank(field) {
    return !(field.cut?.value.trim() || field.value.value.trim());
  }

  isChanged(field) {
    const shown = this.shown(field);
    const cutChanged = field.cut && field.cut.value.trim() !== shown.cut;
    return Boolean(cutChanged || (field.valueTouched && field.value.value.trim() !== shown.value));
  }

  // What the person has said about a field, in a word beside it.
  tell(field) {
    const shown = this.shown(field);
    let said = "";
    if (this.isChanged(field)) said = this.isBlank(field) ? "blanked" : "edited";
    else if (field.checked && shown.level !== "none") said = "checked";
    field.said.textContent = said ? this.texts[said] : "";
    if (said) field.element.dataset.said = said;
    else delete field.element.dataset.said;
    field.element.classList.toggle("bare", Boolean(field.cut) && this.isBlank(field));
    this.tellDoubts(field);
    grow(field.cut);
    grow(field.value);
  }

  // Only where there are words to compare: keys typed into a list of choices would change it unseen.
  needsLook(field) {
    return Boolean(field.cut) && ["weak", "check"].includes(this.shown(field).level) && !field.element.dataset.said;
  }

  // Confirm a field as it stands; the next field that needs a look, or null where none is left.
  confirm(field) {
    field.checked = true;
    this.tell(field);
    const order = this.fields.indexOf(field);
    const rest = [...this.fields.slice(order + 1), ...this.fields.slice(0, order)];
    return rest.find((other) => this.needsLook(other)) ?? null;
  }

  firstInNeed() {
    return this.fields.find((field) => this.needsLook(field)) ?? this.byName.get("name");
  }

  weakUnchecked() {
    return this.fields.filter((field) => this.shown(field).level === "weak" && !field.element.dataset.said);
  }

  invalid() {
    return this.fields.find((field) => this.isChanged(field) && !field.error.hidden) ?? null;
  }

  // Only what the person changed: field name → text as cut, and the normal form where it was written by hand.
  changes() {
    const changed = {};
    for (const field of this.fields) {
      if (!this.isChanged(field)) continue;
      const entry = {};
      if (field.cut && field.cut.value.trim() !== this.shown(field).cut) entry.cut = field.cut.value.trim();
      if (field.valueTouched) entry.value = field.value.value.trim();
      changed[field.name] = entry;
    }
    return changed;
  }

  fieldOf(element) {
    const row = element?.closest?.(".field");
    return row ? this.byName.get(row.dataset.field) : null;
  }

  fieldOfLine(index) {
    return this.fields.find((field) => field.cut && this.shown(field).lines.includes(index)) ?? null;
  }

  // Without a jump of the page where the field is in view already; the caret goes to the end, nothing is selected.
  focus(field) {
    const input = this.main(field);
    const box = field.element.closest("details");
    if (box) box.open = true;
    input.focus({ preventScroll: true });
    if (input.setSelectionRange) input.setSelectionRange(input.value.length, input.value.length);
    field.element.scrollIntoView({ block: "nearest" });
  }
}
