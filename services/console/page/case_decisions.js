// case_decisions.js - what can be done with a case: the usual next step as a button, everything else in a menu. Only what its state
// allows (common/case_state.h says what that is).
import { el, when } from "./dom.js";
import { decision } from "./decision.js";
import { menu, shownButton } from "./menu.js";
import { actorWords, t } from "./words.js";
import { ask } from "./asking.js";

const OUTCOMES = ["solved", "refunded", "explained", "no_answer_needed"];
const OFFERED = { // state -> decisions, the usual one first
	new: ["acknowledge", "start", "wait", "offline", "hand_over", "close"],
	reopened: ["acknowledge", "start", "wait", "offline", "hand_over", "close"],
	acknowledged: ["start", "wait", "offline", "hand_over", "close"],
	in_progress: ["close", "wait", "offline", "hand_over"],
	waiting: ["start", "offline", "hand_over", "close"],
	offline: ["start", "wait", "hand_over", "close"],
	solved: ["close", "reopen", "hand_over"],
	closed: ["reopen"],
};

// Its conversations of which something is shown, each with what was written first.
function talks(c, messages) {
	const first = new Map([...messages].sort((a, b) => b.occurred_ms - a.occurred_ms).map((row) => [row.conversation_id, row]));
	return (c.conversations || []).filter((id) => first.has(id)).map((id) => [id, first.get(id)]);
}

// A case that is solved in private is closed by what is said in public, or by saying why nothing is.
function offered(c, actions, messages) {
	if (c.merged_into)
		return [];
	const list = c.closing_note_due ? ["note", "waive_note", ...OFFERED[c.state].filter((d) => d !== "close")] : [...OFFERED[c.state] || []];
	if (c.state !== "closed" && actions.hasOtherCases(c))
		list.push("merge");
	if (!["solved", "closed"].includes(c.state) && c.conversations?.length > 1 && talks(c, messages).length)
		list.push("split");
	return list;
}

// What its decisions depend on.
export const decidedBy = (c, actions, messages = []) => [offered(c, actions, messages), c.state, c.owner, c.title, c.customer,
	talks(c, messages).length];

const short = (text) => (text?.length > 60 ? `${text.slice(0, 60)}…` : text);
const caseWords = (c) => [c.customer, short(c.title), c.channel].filter(Boolean).join(" · ");
const choose = (list) => [["", t("choose")], ...list];

const words = (name, extra) => ({ name: "words", words: t(name), needed: true, ...extra });

// What has to be said with a decision; the others are one press.
function question(c, what, actions, messages) {
	switch (what) {
	case "hand_over":
		return [{ name: "to", words: t("hand_over_to"), needed: true, max: 60,
			suggested: actions.owners().filter((name) => name !== c.owner).map((name) => [name, actorWords(name)]) }];
	case "close":
		return [{ name: "outcome", words: t("outcome"), needed: true,
			choices: OUTCOMES.map((v) => [t(`outcome.${v}`), t(`outcome.${v}`)]) }];
	case "note":
		return [words("note_words", { rows: 3 })];
	case "waive_note":
		return [words("note_why_not")];
	case "merge":
		return [{ name: "other", words: t("merge_other"), needed: true,
			choices: choose(actions.otherCases(c).map((o) => [o.id, caseWords(o)])) }];
	case "split":
		return [{ name: "conversation", words: t("split_which"), needed: true, choices: choose(talks(c, messages)
			.map(([id, row]) => [id, [when(row.occurred_ms), row.channel, short(row.text)].join(" · ")])) }];
	default:
		return null;
	}
}

function press(c, what, actions, messages, button) {
	const send = (values) => (["acknowledge", "close"].includes(what) ? actions.decideCase(c.id, what, values, button)
		: actions.decideCase(c.id, "change", { verb: what, ...values }, button));
	const fields = question(c, what, actions, messages);
	if (fields)
		ask({ key: `${c.id} ${what}`, title: t(`case.${what}`), what: caseWords(c),
			note: ["merge", "split"].includes(what) ? t(`${what}_means`) : "", fields, send });
	else
		send({});
}

// `messages`: those of the case, where they are known.
export function caseDecisions(c, actions, messages = []) {
	const [usual, ...rest] = offered(c, actions, messages).map((what, n) => decision(`${c.id} ${what}`, {
		class: n ? "plain" : what === "acknowledge" ? "primary" : "plain usual",
		onclick: (e) => press(c, what, actions, messages, shownButton(e.currentTarget)) }, t(`case.${what}`)));
	return el("div", { class: "decide case-decisions", "data-decisions": c.id }, usual,
		rest.length ? menu(`${c.id} more ${c.state}`, c.title || c.customer, rest) : null);
}
