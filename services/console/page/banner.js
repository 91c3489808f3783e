// banner.js - open incidents: the code in colour and in a word, people against the normal number, what to do.
import { byId, due, el, keeper, number, place, renew, time, when } from "./dom.js";
import { actorWords, label, language, t } from "./words.js";
import { chip } from "./inbox.js";
import { answerItem } from "./answer.js";
import { decision } from "./decision.js";

const open = (i) => !i.closed_ms && (i.code === "red" || i.code === "yellow");
const weight = { red: 2, yellow: 1 };

// Open ones, the worst and then the newest first.
export const openIncidents = (incidents) =>
	[...incidents.values()].filter(open)
		.sort((a, b) => weight[b.code] - weight[a.code] || b.opened_ms - a.opened_ms);

function facts(i) {
	const rows = [[t("since"), time(i.opened_ms)]];
	if (i.red_ms)
		rows.push([t("red_since"), time(i.red_ms)]);
	rows.push([t("detected"), time(i.detected_ms)]);
	return el("dl", { class: "facts" },
		rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

function crowd(i) {
	return el("p", { class: "crowd" },
		el("strong", {}, number(i.people)), " ", t("people_per_hour"), ", ",
		el("span", { class: "against" }, t("normally", number(Math.round((i.normal || 0) * 10) / 10))));
}

function stepItem(i, n, now, actions) {
	const s = i.steps[n];
	const box = s.done_ms > 0 ? el("span", { class: "box", "aria-hidden": "true" }, "✓")
		: decision(`${i.id} step ${n}`, { class: "box", "aria-label": t("tick", s.text),
			onclick: (e) => actions.doneStep(i.id, n, e.currentTarget) }, "○");
	return el("li", {}, box, el("span", { class: "what" }, s.text, " ", stepBy(s, now)));
}

const stepBy = (s, now) => el("span", { class: "by" }, actorWords(s.actor), " · ",
	s.done_ms > 0 ? [t("done"), when(s.done_ms, now), s.done_by].filter(Boolean).join(" ")
		: s.due_ms ? due(s.due_ms, now) : t("to_do"));

// The steps stay while their time runs out.
function hurry(list, i, now) {
	list.querySelectorAll("li").forEach((item, n) => {
		const s = i.steps[n];
		item.className = s.done_ms > 0 ? "done" : s.due_ms && s.due_ms < now ? "late" : "";
		renew(item, ".by", stepBy(s, now));
	});
	return list;
}

function steps(i, now, wide, actions) {
	const done = i.steps.filter((s) => s.done_ms > 0).length;
	return el("details", { class: "steps", open: wide },
		el("summary", {}, `${t("steps")} (${done}/${i.steps.length})`),
		el("ol", {}, i.steps.map((_, n) => stepItem(i, n, now, actions))));
}

function deliveryItem(d, now) {
	const good = d.result === "sent" ? "good" : ["rejected", "expired", "unknown"].includes(d.result) ? "bad" : "";
	return el("li", { class: good },
		el("span", { class: "box", "aria-hidden": "true" }, good === "good" ? "✓" : good === "bad" ? "✗" : "…"),
		el("span", { class: "what" }, d.destination, " ",
			el("span", { class: "by" }, [label("result", d.result), d.at_ms && when(d.at_ms, now),
				d.attempts > 1 && t("attempts", d.attempts), good !== "good" && d.detail]
				.filter(Boolean).join(" · "))));
}

function alerts(deliveries, now, wide) {
	return el("details", { class: "alerts", open: wide },
		el("summary", {}, `${t("alerts")} (${deliveries.filter((d) => d.result === "sent").length})`),
		deliveries.length ? el("ul", {}, deliveries.map((d) => deliveryItem(d, now))) : el("p", {}, t("no_alerts")));
}

function answers(i, list, now, wide, actions) {
	return el("details", { class: "answers", open: wide || list.length > 0 },
		el("summary", {}, `${t("answers")} (${list.length})`),
		el("ul", {}, list.map((a) => answerItem(`incidents/${i.id}`, a, now, actions))),
		el("button", { type: "button", class: "plain", "data-wordings": i.id, onclick: () => actions.writeWordings(i) }, t("wordings_edit")), " ",
		decision(`${i.id} holding`, { onclick: (e) => actions.proposeHolding(i.id, e.currentTarget) }, t("propose_holding")));
}

function carer(i, actions) {
	if (i.acknowledged_ms)
		return el("p", { class: "carer" }, el("span", { "aria-hidden": "true" }, "✓ "),
			t("acknowledged_by", actorWords(i.acknowledged_by)), " · ", time(i.acknowledged_ms));
	return decision(`${i.id} acknowledge`, { class: "primary", "data-acknowledge": i.id,
		onclick: (e) => actions.acknowledgeIncident(i.id, e.currentTarget) }, t("acknowledge"));
}

function summary(i) {
	return el("div", {},
		el("h2", {}, chip(i.code), " ", i.title || i.kind),
		crowd(i),
		i.because ? el("p", { class: "because" }, i.because) : null,
		el("p", { class: "sizes" }, t("peak", number(i.peak_people || i.people)), " · ",
			t("messages_in_all", number(i.messages))),
		facts(i));
}

function end(i, actions) {
	return el("p", { class: "report" }, decision(`${i.id} close`, { "data-close-incident": i.id,
		onclick: (e) => actions.closeIncident(i, e.currentTarget) }, t("close_incident")), " ",
	el("a", { target: "_blank", rel: "noopener",
		href: `/api/v1/incidents/${encodeURIComponent(i.id)}/report?lang=${language()}` }, t("report")));
}

const keep = keeper();

// The article of an incident stays, and each of its parts until what it shows has changed.
function banner(i, deliveries, said, now, wide, actions) {
	const day = new Date(now).toDateString();
	const part = (name, of, build) => keep(`${i.id} ${name}`, of, build);
	const left = part("left", 0, () => el("div", { class: "summary" }));
	const told = part("told", 0, () => el("div", { class: "told" }));
	const article = part("article", 0, () => el("article", { "data-incident": i.id }));
	article.className = `incident ${i.code}`;
	place(left, [part("summary", [i, day], () => summary(i)),
		part("carer", i.acknowledged_ms, () => carer(i, actions)), part("end", i.title, () => end(i, actions))]);
	place(told, [part("answers", [said, day], () => answers(i, said, now, wide, actions)),
		part("alerts", [deliveries, day], () => alerts(deliveries, now, wide))]);
	const todo = i.steps?.length ? [hurry(part("steps", i.steps, () => steps(i, now, wide, actions)), i, now)] : [];
	place(article, [left, ...todo, told]);
	return article;
}

export function showIncidents(incidents, deliveries, said, now, actions) {
	const list = openIncidents(incidents);
	const wide = window.matchMedia("(min-width: 800px)").matches;
	const latest = (i) => [...(deliveries.get(i.id) || [])].sort((a, b) => (b.at_ms || 0) - (a.at_ms || 0));
	place(byId("incidents"), list.map((i) => banner(i, latest(i), said.get(i.id) || [], now, wide, actions)));
	keep.only((key) => list.some((i) => key.startsWith(i.id)));
	byId("incidents").hidden = list.length === 0;
}

// Says once, for people who listen to the page, that an incident began, got worse, was taken care of or ended.
export function announce(before, now) {
	const title = now.title || now.kind || "";
	const word = t(`code_${now.code}`);
	let text = "";
	if (now.closed_ms && before && !before.closed_ms)
		text = t("incident_closed", title);
	else if (open(now) && (!before || before.code !== now.code))
		text = t("incident_new", word, title);
	else if (now.acknowledged_ms && before && !before.acknowledged_ms)
		text = t("incident_acknowledged", title, actorWords(now.acknowledged_by));
	if (text)
		byId("announce").textContent = text;
}
