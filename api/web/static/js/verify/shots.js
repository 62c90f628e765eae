// The other photos of the grave: each can be looked at in the place of the main one, and told apart from it.

// What can be told apart from a draft at once: itself, or the others.
export function detachable({ id, shots }) {
  return shots.may_detach ? [id] : shots.shots.filter((shot) => shot.may_detach).map((shot) => shot.record);
}

// A draft as it stands once some shots, or itself, are told apart; and the decisions that say so.
export function apart(draft, records) {
  const own = records.includes(draft.id);
  const told = draft.shots.shots.filter((shot) => own || records.includes(shot.record));
  const photos = told.map((shot) => shot.photo);
  const fields = Object.entries(draft.fields).map(([name, field]) => (
    [name, { ...field, proposals: field.proposals.filter((one) => !photos.includes(one.photo)) }]
  ));
  const shots = { ...draft.shots, shots: draft.shots.shots.filter((shot) => !told.includes(shot)) };
  const spoken = own ? [{ record: draft.id, version: draft.version }] : told;
  return {
    draft: {
      ...draft,
      fields: Object.fromEntries(fields),
      version: draft.version + (own ? 1 : 0),
      decided: own ? "" : draft.decided,
      shots: own ? { ...shots, asks: false, may_detach: false } : shots,
    },
    decisions: spoken.map(({ record, version }) => ({ record, version, verdict: "detach" })),
  };
}

export class ShotList {
  constructor(root, { say, onSee, onDetach, onSameGrave }) {
    this.heading = root.querySelector(".shots-heading");
    this.list = root.querySelector(".shots-list");
    this.actions = root.querySelector(".shots-actions");
    this.root = root;
    this.say = say;
    this.onSee = onSee;
    this.onDetach = onDetach;
    this.onSameGrave = onSameGrave;
  }

  show(draft) {
    const { heading, shots, asks, may_detach } = draft.shots;
    this.root.hidden = !shots.length;
    this.heading.textContent = heading;
    const key = detachable(draft).length > 1 ? "" : "Alt G"; // which means all of them
    this.list.replaceChildren(...shots.map((shot) => this.item(shot, key)));
    this.actions.replaceChildren(
      ...(asks ? [this.button(this.say("same_grave"), "Alt M", () => this.onSameGrave())] : []),
      ...(may_detach ? [this.button(this.say("detach"), "Alt G", () => this.onDetach([draft.id]))] : []),
    );
  }

  item(shot, key) {
    const item = document.createElement("li");
    const see = this.button(shot.file_name, "", () => {
      const seen = see.getAttribute("aria-pressed") !== "true";
      for (const other of this.list.querySelectorAll(".see")) other.setAttribute("aria-pressed", "false");
      see.setAttribute("aria-pressed", String(seen));
      this.onSee(seen ? shot : null);
    });
    see.classList.add("see");
    see.title = this.say("show_shot", { name: shot.file_name });
    see.setAttribute("aria-pressed", "false");
    item.append(see);
    if (shot.state) item.append(`(${shot.state})`);
    if (shot.may_detach) {
      const detach = this.button(this.say("detach"), key, () => this.onDetach([shot.record]));
      detach.setAttribute("aria-label", this.say("detach_named", { name: shot.file_name }));
      item.append(detach);
    }
    return item;
  }

  button(text, key, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button compact";
    button.textContent = text;
    if (key) {
      const shown = document.createElement("kbd");
      shown.textContent = key;
      button.append(" ", shown);
    }
    button.addEventListener("click", act);
    return button;
  }
}
