// answer.js - what people write to customers: answers with what there is to say to them and who approved, and the form for one case.
import { post } from "./api.js";
import { byId, el, number, when } from "./dom.js";
import { decision } from "./decision.js";
import { actorWords, language, languageName, t } from "./words.js";

const CHECK_AFTER_MS = 700; // of rest while typing
const WORDS_MAX = 4000;

// ---- what the draft check found ----

export function findingList(findings) {
	const list = findings || [];
	return list.length ? el("ul", { class: "findings" }, list.map((f) => el("li", { class: f.blocks ? "blocks" : "" },
		el("span", { class: "box", "aria-hidden": "true" }, f.blocks ? "✗" : "•"),
		el("span", { class: "what" }, el("span", { class: "unseen" }, t(f.blocks ? "finding_blocks" : "finding_look"), " "),
			f[language()] || f.en || f.rule)))) : null;
}

// ---- answers that were written ----

function standing(a) {
	const missing = Math.max((a.approvals_needed || 0) - (a.approved_by?.length || 0), 0);
	if (a.refused_ms)
		return t("answer_refused");
	if (a.case_id && a.ended_ms)
		return t(a.answered ? "answer_left" : "answer_not_left");
	if (a.ended_ms)
		return t("answer_sent", number(a.answered || 0));
	return a.begun_ms ? t("answer_going", number(a.answered || 0)) : t(missing === 1 ? "answer_waits_1" : "answer_waits", missing);
}

function approval(path, a, actions) {
	if (a.begun_ms || a.refused_ms)
		return null;
	const roles = a.approvers || [];
	const choice = el("select", { "aria-label": t("approve_as") }, roles.map((r) => el("option", { value: r }, actorWords(r))));
	return el("span", { class: "decide" }, roles.length ? choice : null, decision(`${a.id} approve`, {
		onclick: (e) => actions.approveAnswer(path, a.id, roles.length ? choice.value : "", e.currentTarget) }, t("approve")));
}

const foundIn = (a, list, text) => (a.ended_ms ? [] : (a.findings || []).filter((f) => (f.wordings || 0) === list && (f.text || 0) === text));

// One text with what was found in it; of several the first, and all of them to be read by who approves.
function said(a) {
	const lists = a.wordings || [], n = lists.reduce((sum, w) => sum + (w.texts?.length || 0), 0);
	const first = [`«${lists[0]?.texts?.[0] || ""}»`, findingList(foundIn(a, 0, 0))];
	if (n < 2)
		return first;
	return [first[0], el("details", { class: "texts" }, el("summary", {}, t("wordings_all", n)), lists.map((w, list) => [
		el("h4", {}, `${languageName(w.language)} · ${w.channel || t("every_channel")}`),
		el("ol", {}, (w.texts || []).map((text, k) => el("li", { lang: w.language }, text, findingList(foundIn(a, list, k)))))]))];
}

// `path` is that of the incident or the case it belongs to.
export function answerItem(path, a, now, actions) {
	const who = (a.approved_by || []).map((name, n) => (a.approved_as?.[n] ? `${name} (${actorWords(a.approved_as[n])})` : name));
	return el("li", { class: a.refused_ms ? "bad" : a.ended_ms ? "good" : "" },
		el("span", { class: "box", "aria-hidden": "true" }, a.refused_ms ? "✗" : a.ended_ms ? "✓" : "…"),
		el("span", { class: "what" }, said(a), " ",
			el("span", { class: "by" }, [a.by, standing(a), who.length > 0 && t("approved_by", who.join(", ")),
				!a.case_id && a.left_out > 0 && t("answer_left_out", a.left_out), when(a.proposed_ms, now)]
				.filter(Boolean).join(" · ")), " ",
			approval(path, a, actions)));
}

// ---- the form ----

// One is kept, so that what somebody types survives whatever arrives meanwhile.
let form = null; // { id, element, text, said, send, timer }

export function needs(a) {
	const n = a.approvals_needed || 0;
	if (!n)
		return "";
	return a.approvers?.length ? t("answer_needs_role", n, a.approvers.map(actorWords).join(", ")) : t("answer_needs", n);
}

function show(f, answer) {
	const a = answer?.answer || {};
	f.send.textContent = t(a.approvals_needed ? "answer_propose" : "answer_send");
	f.send.disabled = Boolean(answer?.blocks) || !f.text.value.trim();
	f.said.replaceChildren(...[findingList(a.findings),
		answer && f.text.value.trim() && !a.findings?.length ? el("p", { class: "muted" }, t("finding_none")) : null,
		needs(a) ? el("p", { class: "muted" }, needs(a)) : null,
		answer ? null : el("p", { class: "muted" }, t("finding_unknown"))].filter(Boolean));
}

// What escalation says to it; what was typed meanwhile is asked about again.
async function check(f) {
	const text = f.text.value;
	let answer = null;
	try {
		answer = await post(`cases/${f.id}/draft`, { actor: byId("actor").value.trim() || "?", text });
	} catch {
		answer = null;
	}
	if (f.text.value === text)
		show(f, answer);
	return answer;
}

function suggest(f, texts) {
	const use = (text) => {
		f.text.value = text;
		f.text.focus();
		check(f);
	};
	f.ready.replaceChildren(el("p", { class: "muted", id: "answer-ready" }, t("answer_ready")),
		el("ul", { "aria-labelledby": "answer-ready" }, (texts || []).slice(0, 3).map((text) => el("li", {},
			el("button", { type: "button", class: "link", onclick: () => use(text) }, text)))));
	f.ready.hidden = !texts?.length;
}

function later(f) {
	clearTimeout(f.timer);
	f.send.disabled = !f.text.value.trim();
	f.timer = setTimeout(() => check(f), CHECK_AFTER_MS);
}

async function send(f, actions) {
	f.send.disabled = true;
	if (await actions.sendAnswer(f.id, f.text.value.trim(), f.send))
		f.text.value = "";
	show(f, {});
}

function newForm(id, lang, actions) {
	const f = { id, lang: language() };
	f.text = el("textarea", { id: "answer-text", rows: 4, maxlength: WORDS_MAX, lang, "aria-label": t("answer"), oninput: () => later(f) });
	f.said = el("div", { class: "said", role: "status" });
	f.ready = el("div", { class: "ready", hidden: true });
	f.send = el("button", { type: "button", class: "plain", disabled: true, onclick: () => send(f, actions) }, t("answer_send"));
	f.element = el("div", { class: "answer-form" }, f.ready, f.text, f.said, f.send);
	check(f).then((answer) => suggest(f, answer?.suggested));
	return f;
}

// For an open case: the form, as it was left.
export function answerForm(c, actions) {
	if (form?.id !== c.id || (form.lang !== language() && !form.text.value))
		form = newForm(c.id, c.language === "other" ? "" : c.language || "", actions);
	const typing = document.activeElement === form.text;
	if (typing)
		requestAnimationFrame(() => form.text.focus({ preventScroll: true }));
	return form.element;
}
