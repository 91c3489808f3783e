// crisis.js - at the top: crisis mode, which a person begins, holds on and ends; alarms that are held.
import { byId, el, keeper, number, place, when } from "./dom.js";
import { ask } from "./asking.js";
import { decide, decision } from "./decision.js";
import { t } from "./words.js";

const keep = keeper(); // a button somebody is about to press stays where it is

// With a reason, and after what it means was said.
function askCrisis(what, on, button) {
	ask({ key: `crisis ${what}`, title: t(`crisis_${what}`), note: t(`crisis_${what}_means`),
		fields: [{ name: "reason", words: t("crisis_reason"), needed: true }],
		send: (values) => decide("crisis", { on, ...values }, button) });
}

// Red incidents hold it on by themselves; a person does so besides, and ends no more than that.
function change(c) {
	const what = !c ? "begin" : c.by_person ? "end" : "hold";
	return decision(`crisis ${what}`, { onclick: (e) => askCrisis(what, what !== "end", e.currentTarget) }, t(`crisis_${what}`));
}

function said(c) {
	return el("span", { role: "status", title: c ? `${c.because} (${c.by})` : null }, c ? t("crisis_since", when(c.since_ms)) : "");
}

// Alarms that fell due together after a jump of the clock: nobody is called before a person says so.
function held(n) {
	return el("span", {}, t("alarms_held", number(n)), [true, false].map((call) => decision(call ? "alarms call" : "alarms drop", {
		onclick: (e) => decide("alarms", { call }, e.currentTarget) }, t(call ? "alarms_call" : "alarms_drop"))));
}

export function showCrisis(counts) {
	const c = counts?.crisis, n = counts?.held_alarms ?? 0;
	byId("crisis").classList.toggle("crisis", Boolean(c));
	place(byId("crisis"), counts ? [keep("said", [c?.since_ms, c?.because, when(c?.since_ms)], () => said(c)),
		keep("change", [Boolean(c), c?.by_person], () => change(c))] : []);
	byId("held").hidden = !n;
	place(byId("held"), n ? [keep("held", n, () => held(n))] : []);
}
