// decision.js - buttons that decide something, and sending what was decided.
import { byId, el } from "./dom.js";
import { post } from "./api.js";
import { complain } from "./notice.js";
import { language, t } from "./words.js";

const SENT_MS = 5000; // then it can be sent again: what it was to change has not come back

const sent = new Map(); // key -> what its button says meanwhile

// `key` names the decision, so that its button is known again when it is built anew.
export const decision = (key, properties, ...children) =>
	el("button", { type: "button", class: "plain", "data-decision": key, ...properties }, ...children);

const buttonsOf = (key) => [...document.querySelectorAll("[data-decision]")].filter((b) => b.dataset.decision === key);

function mark(key) {
	for (const b of buttonsOf(key)) {
		b.disabled = true;
		b.textContent = sent.get(key);
	}
}

function free(key, words) {
	sent.delete(key);
	for (const b of buttonsOf(key)) {
		b.disabled = false;
		b.textContent = words;
	}
}

// Builds parts of the page anew: the focus stays on the button it was on, or on the first of its group ([data-decisions]) when that
// one is gone, and what was sent stays sent.
export function keepDecisions(build) {
	const focused = document.activeElement, key = focused?.dataset?.decision;
	const group = focused?.closest?.("[data-decisions]")?.dataset.decisions;
	build();
	[...sent.keys()].forEach(mark);
	if (!key || document.activeElement?.dataset?.decision === key)
		return;
	const button = buttonsOf(key).find((b) => b.checkVisibility()) ??
		(group && document.querySelector(`[data-decisions="${CSS.escape(group)}"] [data-decision]`));
	button?.focus({ preventScroll: true });
}

// True when it is accepted. What it changes comes back by itself.
export async function decide(rest, body, button, words = t("sending")) {
	const actor = byId("actor").value.trim();
	if (!actor) {
		complain(t("name_first"));
		byId("actor").focus();
		return false;
	}
	const key = button.dataset.decision || rest, before = button.textContent;
	sent.set(key, before);
	mark(key);
	try {
		await post(rest, { actor, ...body });
		sent.set(key, words);
		mark(key);
		setTimeout(() => free(key, before), SENT_MS);
		return true;
	} catch (e) {
		free(key, before);
		const found = e.findings?.find((f) => f.blocks);
		complain(t("failed", found?.[language()] || e.message || t("offline")));
		return false;
	}
}
