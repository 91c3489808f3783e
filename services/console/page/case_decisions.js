// case_decisions.js - what can be done with a case: the usual next step as a button, everything else in a menu. Only what its state
// allows (common/case_state.h says what that is).
import { el } from "./dom.js";
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

// A case that is solved in private is closed by what is said in public, or by saying why nothing is.
function offered(c) {
	const list = OFFERED[c.state] || [];
	if (c.closing_note_due)
		return ["note", "waive_note", ...list.filter((d) => d !== "close")];
	return c.merged_into ? [] : list;
}

// What its decisions depend on.
export const decidedBy = (c) => [c.state, c.closing_note_due, c.merged_into, c.owner, c.title, c.customer];

const words = (name, extra) => ({ name: "words", words: t(name), needed: true, ...extra });

// What has to be said with a decision; the others are one press.
function question(c, what, others) {
	switch (what) {
	case "hand_over":
		return [{ name: "to", words: t("hand_over_to"), needed: true, max: 60,
			suggested: others.filter((name) => name !== c.owner).map((name) => [name, actorWords(name)]) }];
	case "close":
		return [{ name: "outcome", words: t("outcome"), needed: true,
			choices: OUTCOMES.map((v) => [t(`outcome.${v}`), t(`outcome.${v}`)]) }];
	case "note":
		return [words("note_words", { rows: 3 })];
	case "waive_note":
		return [words("note_why_not")];
	default:
		return null;
	}
}

function press(c, what, actions, button) {
	const send = (values) => (["acknowledge", "close"].includes(what) ? actions.decideCase(c.id, what, values, button)
		: actions.decideCase(c.id, "change", { verb: what, ...values }, button));
	const fields = question(c, what, actions.owners());
	if (fields)
		ask({ key: `${c.id} ${what}`, title: t(`case.${what}`), what: [c.title, c.customer].filter(Boolean).join(" · "), fields, send });
	else
		send({});
}

export function caseDecisions(c, actions) {
	const [usual, ...rest] = offered(c).map((what, n) => decision(`${c.id} ${what}`, {
		class: n ? "plain" : what === "acknowledge" ? "primary" : "plain usual",
		onclick: (e) => press(c, what, actions, shownButton(e.currentTarget)) }, t(`case.${what}`)));
	return el("div", { class: "decide case-decisions", "data-decisions": c.id }, usual,
		rest.length ? menu(`${c.id} more ${c.state}`, c.title || c.customer, rest) : null);
}
