// notice.js - what did not work. An error goes by itself; a decision that was refused afterwards stays until its author has seen it.
import { byId, el, time } from "./dom.js";
import { label, t } from "./words.js";

const ERROR_MS = 8000;
const REFUSED_MAX = 5; // of one person, shown at once

let timer;
export function complain(text) {
	byId("trouble").textContent = text;
	byId("trouble").hidden = !text;
	clearTimeout(timer);
	timer = setTimeout(() => complain(""), ERROR_MS);
}

let known = null; // ids of refusals; null: before the first were read
let mine = []; // those that wait to be seen

function show() {
	byId("refused").hidden = !mine.length;
	byId("refused").replaceChildren(el("ul", {}, mine.map((r) => el("li", {}, t("refused", label("command", r.command)), " (",
		el("span", { lang: "en" }, r.why), ") · ", time(r.at_ms)))),
	el("button", { type: "button", class: "plain", onclick: () => {
		mine = [];
		show();
	} }, t("refused_seen")));
}

// Somebody else was faster. Those from before the page was opened are history; those of an interruption are told now.
export function hearRefusals(list) {
	const actor = byId("actor").value.trim();
	const fresh = known ? list.filter((r) => !known.has(r.command_id)) : [];
	known = new Set([...(known || []), ...list.map((r) => r.command_id)]);
	mine = [...mine, ...fresh.filter((r) => r.actor === actor)].sort((a, b) => a.at_ms - b.at_ms).slice(-REFUSED_MAX);
	if (fresh.length)
		show();
}

export const translateNotices = show;
