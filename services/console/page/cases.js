// cases.js - open cases: who owns them and what is due, in words. What is due soonest, or late, comes first.
import { byId, due, el, keeper, number, place, renew, when } from "./dom.js";
import { actorWords, label, t } from "./words.js";
import { chip } from "./inbox.js";
import { caseDecisions, decidedBy } from "./case_decisions.js";

const SHOWN_MAX = 100;
const DONE = ["solved", "closed"];

export const caseIsOpen = (c) => !DONE.includes(c.state);

// Open, or solved in private while the public place does not know it yet.
const wantsSomebody = (c) => caseIsOpen(c) || c.closing_note_due;

// The clock that runs out next: acknowledging, then solving.
export const nextDue = (c) => (!c.acknowledged_ms && c.acknowledge_due_ms) || c.resolve_due_ms || Infinity;

function clockItem(name, dueMs, doneMs, now) {
	if (!dueMs && !doneMs)
		return null;
	const late = !doneMs && dueMs < now;
	return el("div", { class: late ? "late" : "" }, el("dt", {}, name),
		el("dd", {}, doneMs ? t("answered", when(doneMs, now)) : due(dueMs, now)));
}

export function clocks(c, now) {
	return el("dl", { class: "clocks" },
		clockItem(t("first_answer"), c.acknowledge_due_ms, c.acknowledged_ms, now),
		caseIsOpen(c) ? clockItem(t("solution"), c.resolve_due_ms, 0, now)
			: el("div", {}, el("dt", {}, t("solution")),
				el("dd", {}, t("case_closed", when(c.closed_ms || c.updated_ms, now)))));
}

function cover(c, actions) {
	return el("button", { type: "button", class: "cover", "data-open-case": c.id,
		"aria-label": `${t("case")}: ${c.title || c.kind}, ${c.customer}`, onclick: () => actions.openCase(c.id) });
}

function face(c, now) {
	return el("div", {},
		el("div", { class: "first" },
			el("div", { class: "line" }, el("strong", {}, c.customer || t("anonymous")),
				el("span", { class: "muted" }, c.channel)),
			chip(c.code)),
		el("p", { class: "title" }, c.title || label("", c.kind)),
		clocks(c, now),
		el("p", { class: "meaning" }, el("span", {}, `${t("owner")}: ${actorWords(c.owner)}`),
			el("span", {}, label("state", c.state)),
			c.closing_note_due ? el("strong", {}, t("note_due")) : null,
			el("span", {}, c.messages === 1 ? t("case_messages_1") : t("case_messages", number(c.messages)))));
}

const keep = keeper();

// The card stays, and each of its parts until what it shows has changed.
function card(c, now, actions) {
	const part = (name, of, build) => keep(`${c.id} ${name}`, of, build);
	const item = part("card", 0, () => el("li", { "data-case": c.id }));
	const shown = part("face", c, () => face(c, now));
	item.className = `case ${c.code}`;
	renew(shown, ".clocks", clocks(c, now));
	place(item, [part("cover", [c.title, c.kind, c.customer], () => cover(c, actions)), shown,
		part("decisions", decidedBy(c, actions), () => caseDecisions(c, actions))]);
	return item;
}

export function showCases(cases, counts, now, actions) {
	const list = [...cases.values()].filter(wantsSomebody)
		.sort((a, b) => nextDue(a) - nextDue(b) || b.updated_ms - a.updated_ms);
	const shown = list.slice(0, SHOWN_MAX);
	const total = Math.max(counts?.open_cases ?? 0, list.length);
	const focused = document.activeElement?.dataset?.openCase;
	place(byId("case-list"), shown.map((c) => card(c, now, actions)));
	const ids = new Set(shown.map((c) => c.id));
	keep.only((key) => ids.has(key.split(" ")[0]));
	if (focused && document.activeElement?.dataset?.openCase !== focused)
		byId("case-list").querySelector(`[data-open-case="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
	byId("cases-note").textContent =
		total > shown.length ? t("updated_only", number(shown.length), number(total)) : number(total);
	byId("cases-none").hidden = shown.length > 0;
	byId("cases-none").textContent = t("none_cases");
}

