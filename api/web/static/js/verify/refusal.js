// A decision that was not saved, as a message: what happened, and a way to see who was faster or to try again.

export function refusal(decision, answer, { say, close, onReopen }) {
  const taken = answer.status === 409;
  const box = document.createElement("div");
  box.className = "notice bad";
  const text = document.createElement("p");
  const head = document.createElement("b");
  head.textContent = say(taken ? "conflict_title" : "failed_title");
  const reason = answer.body.detail ?? String(answer.status);
  text.append(head, taken ? say("conflict", { name: decision.title }) : say("failed", { name: decision.title, reason }));
  box.append(text);
  if (taken) {
    const link = document.createElement("a");
    link.className = "button compact";
    link.href = `/records/${decision.record}`;
    link.target = "_blank";
    link.textContent = say("conflict_open");
    box.append(link);
  } else {
    box.append(button("button compact", say("reopen"), () => {
      box.remove();
      onReopen();
    }));
  }
  box.append(button("button quiet compact", close, () => box.remove()));
  return box;
}

function button(look, text, act) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = look;
  element.textContent = text;
  element.addEventListener("click", act);
  return element;
}
