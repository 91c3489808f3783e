// inbox.js - the list of messages: rows by their real time, newest first, kept in place while new ones arrive.
import { byId, clock, el, keeper, longDay, place, time, zone } from "./dom.js";
import { label, network, t } from "./words.js";

export const ROWS_MAX = 400;

const keep = keeper();

export function chip(code) {
	return code && code !== "none" ? el("span", { class: `chip ${code}` }, t(`code_${code}`)) : null;
}

export const person = (row) => row.who || row.name || row.handle || t("anonymous");

export function marks(row) {
	return ["vip", "influencer", "partner"].filter((m) => row[m])
		.map((m) => el("span", { class: `mark ${m}` }, t(m)));
}

function meaning(row) {
	const lane = row.lane && row.lane !== "none"
		? el("span", { class: "lane" }, t("lane", label("lane", row.lane))) : null;
	const wants = !row.intent ? t("dont_know")
		: row.expectation ? `${label("intent", row.intent)} → ${label("expectation", row.expectation)}`
		: label("intent", row.intent);
	return el("p", { class: "meaning" }, el("span", { class: "wants" }, wants), lane,
		row.repost ? el("span", {}, t("repost")) : null);
}

function links(row, actions) {
	return el("p", { class: "links" },
		row.incident_id ? el("span", { class: "tag" }, t("in_incident")) : null,
		row.case_id ? el("button", { type: "button", class: "link", onclick: () => actions.openCase(row.case_id) },
			t("case")) : null);
}

// The whole row opens the record: the button's area covers it, and the links in it lie above.
function makeItem(row, actions) {
	const surface = ["private", "semi"].includes(row.surface)
		? el("span", { class: "muted" }, t(row.surface)) : null;
	const open = el("button", { type: "button", class: "cover", tabindex: "-1", "data-message": row.id,
		"aria-label": `${t("open_message", person(row))}, ${clock(row.occurred_ms)}`,
		onclick: () => actions.openMessage(row.id) });
	return el("li", { class: `message ${row.code || "none"}${row.self ? " self" : ""}`, "data-id": row.id },
		open,
		el("div", { class: "first" },
			el("div", { class: "line" },
				time(row.occurred_ms, clock(row.occurred_ms)),
				el("span", { class: "network" }, network(row)),
				el("strong", { class: "person" }, person(row)), marks(row),
				row.self ? el("span", { class: "muted" }, t("self")) : null,
				surface),
			chip(row.code)),
		row.subject ? el("p", { class: "subject" }, row.subject) : null,
		el("p", { class: "text", lang: "" }, row.text, row.cut ? t("cut") : ""),
		el("div", { class: "line foot" }, meaning(row), links(row, actions)));
}

// Puts the rows into the list; the one with the keyboard's focus keeps it.
export function showInbox(rows, actions) {
	const list = byId("messages");
	const focused = document.activeElement?.dataset?.message;
	const wanted = new Map(); // key -> element
	let day = "";
	for (const row of rows) {
		const thisDay = `${longDay(row.occurred_ms)} · ${zone(row.occurred_ms)}`;
		if (thisDay !== day)
			wanted.set(thisDay, keep(thisDay, 0, () => el("li", { class: "day" }, el("h3", {}, thisDay))));
		day = thisDay;
		wanted.set(row.id, keep(row.id, row, () => makeItem(row, actions)));
	}
	keep.only((key) => wanted.has(key));
	place(list, wanted.values());
	covers().forEach((c, n) => c.setAttribute("tabindex", n ? "-1" : "0")); // the list is one stop of the Tab key
	if (focused && document.activeElement?.dataset?.message !== focused)
		focusMessage(focused);
	byId("messages-none").hidden = rows.length > 0;
	byId("messages-none").textContent = t("none_messages");
}

// ---- keyboard ----

const covers = () => [...byId("messages").querySelectorAll(".cover")];

export function focusMessage(id) {
	covers().find((c) => c.dataset.message === id)?.focus({ preventScroll: true });
}

export function step(by) {
	const all = covers();
	const at = all.indexOf(document.activeElement);
	const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
	next?.focus({ preventScroll: true });
	next?.parentElement.scrollIntoView({ block: "nearest" });
}

export function markOpen(id) {
	for (const item of byId("messages").querySelectorAll(".message"))
		item.classList.toggle("current", item.dataset.id === id);
}
