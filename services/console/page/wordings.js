// wordings.js - the texts of an answer to many: the playbook's, edited or written anew, each with what there is to say to it
// before somebody else is asked to approve them.
import { post } from "./api.js";
import { byId, el, number as plain } from "./dom.js";
import { findingList, needs } from "./answer.js";
import { decide } from "./decision.js";
import { language, languageName, t } from "./words.js";

const CHECK_AFTER_MS = 700; // of rest while typing
const TEXT_MAX = 4000;
const TEXTS_MIN = 2, TEXTS_MAX = 32; // in one list: nobody likes to read what was pasted
const LANGUAGES = ["it", "en", "es", "fr", "de", "pt"];

// What is being written stays until it was sent, or an answer to another incident is begun.
let draft = null; // { id, lang, lists: [{ language, channel, items: [{ text, said, element }], … }], playbook, next }
let timer; // of the check

// ---- what is written ----

const key = (wordings) => JSON.stringify(wordings.map((w) => [w.language, w.channel || "", w.texts]));

// As the API takes them, without what is empty; each knows the places of its texts on the page.
function written() {
	return draft.lists.map((list) => {
		const items = list.items.filter((i) => i.text.value.trim());
		return { language: list.language, ...(list.channel && { channel: list.channel }), list, items,
			texts: items.map((i) => i.text.value.trim()) };
	}).filter((w) => w.texts.length);
}

// The playbook's own, untouched, are proposed as such: it may ask for other approvals.
function body(wordings) {
	const plain = wordings.map(({ list, items, ...w }) => w);
	return key(plain) === draft.playbook ? {} : { wordings: plain };
}

// What the API would refuse, in the words of the page.
function ownFault(w) {
	if (w.texts.length < TEXTS_MIN)
		return t("wordings_few", TEXTS_MIN);
	return new Set(w.texts).size < w.texts.length ? t("wordings_twice") : "";
}

// ---- what there is to say to it ----

function show(wordings, faults, said) {
	const a = said?.answer;
	for (const list of draft.lists)
		list.fault.textContent = faults.get(list) || "";
	for (const item of draft.lists.flatMap((list) => list.items))
		item.said.replaceChildren();
	wordings.forEach((w, n) => w.items.forEach((item, k) => {
		const found = (a?.findings || []).filter((f) => f.wordings === n && f.text === k);
		if (found.length)
			item.said.replaceChildren(findingList(found));
	}));
	const words = !wordings.length ? t("wordings_none") : faults.size || said?.blocks ? t("wordings_stopped") : !a ? t("finding_unknown")
		: [a.findings?.length ? "" : t("finding_none"), needs(a)].filter(Boolean).join(" ");
	byId("wordings-said").textContent = words;
	byId("wordings-ok").textContent = t(a && !a.approvals_needed ? "answer_send" : "wordings_propose");
	byId("wordings-ok").disabled = !wordings.length || faults.size > 0 || Boolean(said?.blocks);
}

async function check() {
	const wordings = written();
	const faults = new Map(wordings.map((w) => [w.list, ownFault(w)]).filter(([, fault]) => fault));
	const asked = key(wordings), mine = draft;
	let said = null;
	if (wordings.length)
		said = await post(`incidents/${draft.id}/draft`, { actor: byId("actor").value.trim() || "?", ...body(wordings) }).catch(() => null);
	if (draft === mine && key(written()) === asked) // else what was typed meanwhile is asked about again
		show(wordings, faults, said);
}

function later() {
	clearTimeout(timer);
	byId("wordings-ok").disabled = true; // until it was looked at
	timer = setTimeout(check, CHECK_AFTER_MS);
}

// ---- lists and their texts ----

function number(list) {
	list.items.forEach((item, n) => {
		item.name.textContent = t("wording", n + 1);
		item.drop.setAttribute("aria-label", t("wording_drop", n + 1));
	});
	list.more.disabled = list.items.length >= TEXTS_MAX;
}

function drop(list, item) {
	const n = list.items.indexOf(item);
	list.items.splice(n, 1);
	item.element.remove();
	number(list);
	(list.items[Math.min(n, list.items.length - 1)]?.text ?? list.more).focus();
	later();
}

function addText(list, words) {
	const id = `wording-${draft.next++}`;
	const item = { name: el("label", { for: id }), said: el("div", { class: "said", role: "status" }),
		text: el("textarea", { id, rows: 3, maxlength: TEXT_MAX, lang: list.language, oninput: later }) };
	item.text.value = words;
	item.drop = el("button", { type: "button", class: "plain", onclick: () => drop(list, item) }, t("drop"));
	item.element = el("li", {}, el("div", { class: "head" }, item.name, item.drop), item.text, item.said);
	list.items.push(item);
	list.texts.append(item.element);
	number(list);
	return item;
}

function addList(lang, channel, texts) {
	const list = { language: lang, channel, items: [], texts: el("ol", {}), fault: el("p", { class: "fault", role: "status" }) };
	list.more = el("button", { type: "button", class: "plain", onclick: () => addText(list, "").text.focus() }, t("wording_more"));
	list.element = el("fieldset", {}, el("legend", {}, `${languageName(lang)} · ${channel || t("every_channel")}`), list.texts, list.fault,
		list.more);
	draft.lists.push(list);
	texts.forEach((words) => addText(list, words));
	byId("wordings-lists").append(list.element);
	return list;
}

// Another language, or one channel with words of its own.
function otherList(channels) {
	const lang = el("select", { id: "wordings-language" }, LANGUAGES.map((l) => el("option", { value: l }, languageName(l))));
	const channel = el("select", { id: "wordings-channel" }, el("option", { value: "" }, t("every_channel")),
		channels.map((c) => el("option", { value: c }, c)));
	const add = () => {
		const there = draft.lists.find((list) => list.language === lang.value && list.channel === channel.value);
		const list = there ?? addList(lang.value, channel.value, Array(TEXTS_MIN).fill(""));
		(list.items[0] ?? addText(list, "")).text.focus();
	};
	return [el("label", {}, t("language"), " ", lang), el("label", {}, t("channel"), " ", channel),
		el("button", { type: "button", class: "plain", onclick: add }, t("wordings_add"))];
}

// ---- the dialog ----

async function playbooks(id) {
	const said = await post(`incidents/${id}/draft`, { actor: byId("actor").value.trim() || "?" }).catch(() => null);
	return said?.answer?.wordings || [];
}

const taken = (d) => d.lists.map((l) => ({ language: l.language, channel: l.channel, texts: l.items.map((item) => item.text.value) }));

// `before` is what was written of it in the page's other language.
async function begin(i, channels, before) {
	const ready = before ? taken(before) : await playbooks(i.id);
	draft = { id: i.id, lists: [], next: 0, lang: language(), playbook: before ? before.playbook : key(ready) };
	byId("wordings-lists").replaceChildren();
	byId("wordings-add").replaceChildren(...otherList(channels));
	for (const w of ready)
		addList(w.language, w.channel || "", w.texts);
	if (!ready.length)
		addList(language(), "", Array(TEXTS_MIN).fill(""));
}

// "italiano 121, inglese 13": who waits for it.
function waiting(cases) {
	const n = new Map();
	for (const c of cases)
		n.set(c.language, (n.get(c.language) || 0) + 1);
	return [...n].sort((a, b) => b[1] - a[1]).map(([lang, count]) => `${languageName(lang)} ${plain(count)}`).join(", ");
}

// `cases`: those that are open in the incident.
export async function askWordings(i, channels, cases) {
	if (draft?.id !== i.id || draft.lang !== language())
		await begin(i, channels, draft?.id === i.id ? draft : null);
	byId("wordings-what").textContent = i.title || i.kind;
	byId("wordings-for").textContent = cases.length ? t("wordings_for", waiting(cases)) : "";
	byId("wordings").showModal();
	draft.lists[0]?.items[0]?.text.focus();
	check();
}

export function wireWordings() {
	byId("wordings-no").addEventListener("click", () => byId("wordings").close());
	byId("wordings-ok").addEventListener("click", async (e) => {
		const mine = draft, words = body(written());
		clearTimeout(timer);
		byId("wordings").close();
		draft = null;
		if (!await decide(`incidents/${mine.id}/answer`, words, e.currentTarget))
			draft ??= mine; // nothing is lost
	});
}
