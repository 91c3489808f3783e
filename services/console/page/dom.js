// dom.js - elements and times. Whatever a customer wrote becomes a text node; no markup is ever parsed here.
import { language, t } from "./words.js";

const attributes = new Set(["class", "type", "id", "role", "lang", "value", "tabindex", "datetime", "href", "rel",
	"target", "hidden", "disabled", "open", "selected", "rows", "maxlength", "for", "title", "list", "autocomplete"]);

// el("p", { class: "x", onclick: fn, "aria-label": "…" }, "text", element, null, …)
export function el(tag, properties = {}, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(properties)) {
		if (name.startsWith("on"))
			element.addEventListener(name.slice(2), value);
		else if (value !== null && value !== undefined && value !== false &&
			(attributes.has(name) || name.startsWith("aria-") || name.startsWith("data-")))
			element.setAttribute(name, value === true ? "" : String(value));
	}
	element.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== ""));
	return element;
}

export const byId = (id) => document.getElementById(id);

// A link to where the message was written: only schemes that show a page.
export function outerLink(url, text) {
	let scheme = "";
	try {
		scheme = new URL(url).protocol;
	} catch {
		return null;
	}
	if (scheme !== "https:" && scheme !== "http:")
		return null;
	return el("a", { href: url, rel: "noopener noreferrer nofollow", target: "_blank" }, text);
}

// ---- what stays while what is around it changes: nobody loses the button they are about to press ----

// Makes the element's children exactly `wanted`, moving as little as possible.
export function place(element, wanted) {
	wanted = [...wanted];
	const keep = new Set(wanted);
	for (const child of [...element.children])
		if (!keep.has(child))
			child.remove();
	let at = element.firstElementChild;
	for (const item of wanted) {
		if (item === at)
			at = at.nextElementSibling;
		else
			element.insertBefore(item, at);
	}
}

// Puts `fresh` in the place of what is there, unless it says the same.
export function renew(root, selector, fresh) {
	const old = root.querySelector(selector);
	if (!old.isEqualNode(fresh))
		old.replaceWith(fresh);
}

// keep(key, of, build): the element of that key, built anew when what it shows (`of`) or the language changed. What people opened
// or closed stays so, until it would be built open that was built closed, or the other way round.
export function keeper() {
	const kept = new Map(); // key -> { state, element, open }
	const keep = (key, of, build) => {
		const state = JSON.stringify([of, language()]), old = kept.get(key);
		if (old?.state === state)
			return old.element;
		const element = build(), open = element.open;
		if (old && old.open === open && element.localName === "details")
			element.open = old.element.open;
		kept.set(key, { state, element, open });
		return element;
	};
	keep.only = (wanted) => [...kept.keys()].filter((key) => !wanted(key)).forEach((key) => kept.delete(key));
	return keep;
}

// ---- time ----

const formats = new Map();
function format(kind, options) {
	const key = language() + kind;
	if (!formats.has(key))
		formats.set(key, new Intl.DateTimeFormat(language() === "it" ? "it-IT" : "en-GB", options));
	return formats.get(key);
}

const dayKey = (ms) => new Date(ms).toDateString();

export const clock = (ms) => format("clock", { hour: "2-digit", minute: "2-digit" }).format(ms);

export const longDay = (ms) =>
	format("day", { weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(ms);

// "oggi 10:32", "gio 12 mar, 18:52", with the year when it is not this one.
export function when(ms, now = Date.now()) {
	if (!ms)
		return "";
	if (dayKey(ms) === dayKey(now))
		return `${t("today")} ${clock(ms)}`;
	const year = new Date(ms).getFullYear() === new Date(now).getFullYear() ? {} : { year: "numeric" };
	const day = format(`short${year.year || ""}`, { weekday: "short", day: "numeric", month: "short", ...year });
	return `${day.format(ms)}, ${clock(ms)}`;
}

// "CET": of the browser, then.
export const zone = (ms) => format("zone", { timeZoneName: "short" }).formatToParts(ms).find((p) => p.type === "timeZoneName").value;

// With day, second and zone for whoever points at it.
export const time = (ms, text = when(ms)) => el("time", { datetime: new Date(ms).toISOString(),
	title: format("full", { dateStyle: "full", timeStyle: "long" }).format(ms) }, text);

// "40 s", "12 min", "3 h 40 min", "2 g 4 h"
export function duration(ms) {
	const s = Math.max(0, Math.round(ms / 1000));
	if (s < 90)
		return `${s} s`;
	const m = Math.round(s / 60);
	if (m < 90)
		return `${m} min`;
	const h = Math.floor(m / 60);
	if (h < 48)
		return m % 60 ? `${h} h ${m % 60} min` : `${h} h`;
	const d = Math.floor(h / 24);
	return h % 24 ? `${d} ${t("days_short")} ${h % 24} h` : `${d} ${t("days_short")}`;
}

export const number = (n) => new Intl.NumberFormat(language() === "it" ? "it-IT" : "en-GB").format(n);

// A due time in words: "entro 12 min" or "in ritardo di 3 min".
export const due = (ms, now) =>
	(ms >= now ? t("within", duration(ms - now)) : t("late_by", duration(now - ms)));
