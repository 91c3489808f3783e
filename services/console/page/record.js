// record.js - one message's ARM record in its six sections, or one case with its messages.
import { byId, el, keeper, number, outerLink, time, when } from "./dom.js";
import { actorWords, label, network, surface, t } from "./words.js";
import { chip, marks, person } from "./inbox.js";
import { caseIsOpen, clocks } from "./cases.js";
import { caseDecisions, decidedBy } from "./case_decisions.js";
import { answerForm, answerItem } from "./answer.js";
import { decision } from "./decision.js";

const INTENTS = ["ask_info", "report_fault", "order_status", "billing", "cancel", "buy", "change", "complain",
	"praise", "suggest", "report_danger", "attack", "joke", "spam", "other"];

const LANES = ["service", "polemic"];

// Rows of [name, value…]; those without a value are left out.
function facts(rows) {
	const isThere = (x) => x !== null && x !== undefined && x !== "" && x !== false;
	return el("dl", {}, rows.filter(([, ...v]) => v.some(isThere))
		.map(([name, ...value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

const section = (key, ...content) => el("section", { class: `part ${key}` }, el("h3", {}, t(key)), content);

function guess(set, l) {
	if (!l?.value)
		return t("dont_know");
	return `${label(set, l.value)} (${t("sure", Math.round((l.probability || 0) * 100))})`;
}

// ---- the six parts ----

function what(arm, post, u) {
	return section("what",
		post.subject ? el("p", { class: "subject" }, post.subject) : null,
		el("blockquote", { lang: u.language === "other" ? "" : u.language || "" }, post.text || ""),
		facts([
			[t("started_by"), label("initiator", arm.initiator)],
			[t("event"), label("event", u.event?.value)],
			[t("keywords"), (u.keywords || []).join(", ")],
			[t("rating"), post.rating ? "★".repeat(Math.min(post.rating, 5)) : ""],
			[t("attachments"), (post.attachments || []).map((a) => a.name || a.type).join(", ")],
		]));
}

function where(arm, post) {
	return section("where", facts([
		[t("channel"), `${network(post)} (${post.channel})`],
		[t("place"), label("place", arm.place)],
		[t("visible"), surface(post.surface)],
		[t("written"), time(arm.occurred_ms)],
		[t("arrived"), time(arm.received_ms)],
		["", post.permalink ? outerLink(post.permalink, t("original")) : null],
	]));
}

function intention(arm, u, actions) {
	const choice = el("select", { "aria-label": t("correct_label") },
		INTENTS.map((v) => el("option", { value: v, selected: v === u.intent?.value }, label("intent", v))));
	return section("intention", facts([
		[t("intent"), guess("intent", u.intent)],
		[t("expectation"), guess("expectation", u.expectation)],
		[t("sentiment"), guess("sentiment", u.sentiment)],
		[t("lane", ""), guess("lane", u.lane)],
		[t("flags"), (u.flags || []).map((f) => label("flag", f)).join(", ")],
		[t("model"), u.model],
	]), el("div", { class: "decide" }, choice, decision(`${arm.message_id} correct`, {
		onclick: (e) => actions.correct(arm.message_id, choice.value, e.currentTarget) }, t("correct"))),
	el("div", { class: "decide" }, LANES.filter((l) => l !== u.lane?.value).map((l) => decision(`${arm.message_id} ${l}`, {
		onclick: (e) => actions.move(arm.message_id, l, e.currentTarget) }, t(`move_${l}`)))),
	el("p", { class: "muted" }, t("move_means")));
}

function advocate(arm, k, actions) {
	const listed = k.customer_type === "advocate";
	return k.influencer ? null : decision(`${arm.message_id} advocate`, {
		onclick: (e) => actions.keepAdvocate(arm.message_id, !listed, e.currentTarget) },
		t(listed ? "advocate_drop" : "advocate_add"));
}

function know(arm, post, k, actions) {
	const who = post.author || {};
	return section("know", facts([
		[t("customer"), el("strong", {}, k.display_name || who.name || who.handle || t("anonymous")), " ", marks(k)],
		["", who.handle && who.handle !== k.display_name ? who.handle : ""],
		[t("kind"), label("type", k.customer_type)],
		[t("known_since"), k.first_seen_ms ? time(k.first_seen_ms) : ""],
		[t("history"), t("history_words", number(k.messages || 0), number(k.cases || 0))],
		[t("last_outcome"), k.last_case_outcome],
		[t("reach"), number(k.reach || 0)],
		["CRM", k.crm_record],
	]), el("div", { class: "decide" }, advocate(arm, k, actions)));
}

function rules(arm) {
	const list = (arm.rules || []).map((r) => el("li", {}, el("strong", {}, r.rule),
		el("span", { class: "muted" },
			(r.facts || []).map((f) => ` ${f.name} = ${f.value || t("dont_know")}`).join(","))));
	return section("rules", list.length ? el("ul", {}, list) : el("p", {}, t("no_rules")),
		facts([[t("code"), chip(arm.code)], [t("kind"), arm.kind], [t("playbook"), arm.playbook]]));
}

// An actor's name is one word with underscores; what else it is is somebody's sentence.
const detailWords = (detail) => (/^[a-z_]+$/.test(detail || "") ? actorWords(detail) : detail);

function action(arm) {
	return section("action", el("ul", {}, (arm.actions || []).map((a) => el("li", {},
		el("strong", {}, label("action", a.name)), " ", el("span", { class: "muted" },
			[actorWords(a.actor), when(a.at_ms), label("result", a.result),
				t(a.external ? "external" : "internal"), detailWords(a.detail)].filter(Boolean).join(" · "))))));
}

// ---- the panel ----

function panel(title, ...content) {
	byId("record").replaceChildren(
		el("div", { class: "head" }, el("h2", { id: "record-title" }, title),
			el("button", { type: "button", class: "plain close", "data-close": "" }, t("close"))),
		...content.flat().filter(Boolean));
}

export function showMessage(answer, actions) {
	const arm = answer.arm;
	const m = arm.message || {};
	const post = m.post || {};
	const u = m.understanding || {};
	const k = m.knowledge || {};
	panel(k.display_name || post.author?.name || post.author?.handle || t("anonymous"),
		el("p", { class: "line" }, chip(arm.code), time(arm.occurred_ms),
			el("span", { class: "network" }, network(post)), marks(k),
			arm.case_id ? el("button", { type: "button", class: "link", onclick: () => actions.openCase(arm.case_id) },
				t("open_case")) : null),
		what(arm, post, u), where(arm, post), intention(arm, u, actions), know(arm, post, k, actions), rules(arm), action(arm));
}

function messageOfCase(row, actions) {
	return el("li", {}, el("div", { class: "line" }, time(row.occurred_ms),
		el("span", { class: "network" }, network(row)), el("strong", {}, person(row)), marks(row)),
		el("p", { class: "text", lang: "" }, row.text),
		el("button", { type: "button", class: "link", onclick: () => actions.openMessage(row.id) }, t("whole_record")));
}

const keep = keeper(); // a menu that somebody opened stays while the case goes on

// What became of it, and what can be done.
function decideCase(c, messages, actions) {
	return [caseIsOpen(c) ? null : el("p", { class: "carer" }, `${label("state", c.state)}: ${c.closed_reason || ""}`),
		c.closing_note_due ? el("p", { class: "carer" }, t("note_due")) : null,
		c.closing_note ? el("p", { class: "muted" }, t("note_was", c.closing_note)) : null,
		keep("decisions", [c.id, decidedBy(c, actions, messages)], () => caseDecisions(c, actions, messages))];
}

function answersOfCase(c, list, now, actions) {
	const sorted = [...(list || [])].sort((a, b) => (a.proposed_ms || 0) - (b.proposed_ms || 0));
	return [sorted.length || caseIsOpen(c) ? el("h3", {}, t("answer")) : null,
		sorted.length ? el("ul", { class: "answered" }, sorted.map((a) => answerItem(`cases/${c.id}`, a, now, actions))) : null,
		caseIsOpen(c) ? answerForm(c, actions) : null];
}

export function showCase(answer, now, actions) {
	const c = answer.case;
	panel(c.title || c.kind || t("case"),
		el("p", { class: "line" }, chip(c.code), el("strong", {}, c.customer),
			el("span", { class: "muted" }, c.channel)),
		clocks(c, now),
		el("p", { class: "meaning" }, el("span", {}, `${t("owner")}: ${actorWords(c.owner)}`),
			el("span", {}, label("state", c.state))),
		decideCase(c, answer.messages || [], actions),
		el("h3", {}, t("thread")),
		el("ol", { class: "thread" }, (answer.messages || []).map((row) => messageOfCase(row, actions))),
		answersOfCase(c, answer.answers, now, actions));
}

export const showMissing = () => panel(t("not_found"));
