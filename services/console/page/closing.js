// closing.js - closing an incident: why it is over, and what is to be remembered of it.
import { byId } from "./dom.js";

let asked = null; // the incident, and what to do with the answer

// What was typed stays until another incident is closed, so that a refusal loses nothing.
export function askClosing(i, button, decide) {
	if (asked?.id !== i.id)
		byId("closing-reason").value = byId("closing-lessons").value = "";
	asked = { id: i.id, button, decide };
	byId("closing-what").textContent = i.title || i.kind;
	byId("closing").showModal();
	byId("closing-reason").focus();
}

export function wireClosing() {
	byId("closing-no").addEventListener("click", () => byId("closing").close());
	byId("closing-ok").addEventListener("click", () => {
		const reason = byId("closing-reason").value.trim(), lessons = byId("closing-lessons").value.trim();
		if (!reason) {
			byId("closing-reason").focus();
			return;
		}
		byId("closing").close();
		asked.decide(`incidents/${asked.id}/close`, { reason, lessons }, asked.button);
	});
}
