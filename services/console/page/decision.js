// decision.js - buttons that decide something, and sending what was decided.
import { byId, el } from "./dom.js";
import { post } from "./api.js";
import { complain } from "./notice.js";
import { language, t } from "./words.js";

const SENT_MS = 5000; // then it can be sent again: what it was to change has not come back

const sent = new Map(); // key -> { before, words }: what its button said, and what it says meanwhile

// `key` names the decision, so that its button is known again when it is built anew.
export const decision = (key, properties, ...children) =>
	el("button", { type: "button", class: "plain", "data-decision": key, ...properties }, ...children);

const buttonsOf = (key) => [...document.querySelectorAll("[data-decision]")].filter((b) => b.dataset.decision === key);

function mark(key) {
	for (const b of buttonsOf(key)) {
		b.disabled = true;
		b.textContent = sent.get(key).words;
	}
}

// Unless something else was sent by the same button meanwhile.
function free(key, mine) {
	if (sent.get(key) !== mine)
		return;
	sent.delete(key);
	for (const b of buttonsOf(key)) {
		b.disabled = false;
		b.textContent = mine.before;
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
	const key = button.dataset.decision || rest, before = sent.get(key)?.before ?? button.textContent;
	const mine = { before, words: before };
	sent.set(key, mine);
	mark(key);
	try {
		await post(rest, { actor, ...body });
		mine.words = words;
		if (sent.get(key) === mine)
			mark(key);
		setTimeout(() => free(key, mine), SENT_MS);
		return true;
	} catch (e) {
		free(key, mine);
		const found = e.findings?.find((f) => f.blocks);
		complain(t("failed", found?.[language()] || e.message || t("offline")));
		return false;
	}
}
