// asking.js - asks for the words a decision needs: one dialog, with a field for each of them.
import { byId, el } from "./dom.js";
import { t } from "./words.js";

let asked = null; // the question, and what to do with the answer

const fieldOf = (f) => byId(`asking-${f.name}`);
const answers = () => Object.fromEntries(asked.fields.map((f) => [f.name, fieldOf(f).value.trim()]));

// `suggested`: [value, words] to pick from while typing; `choices`: the only ones there are.
function input(f, value) {
	const id = `asking-${f.name}`, of = { id, "aria-required": f.needed ? "true" : null };
	if (f.choices)
		return el("select", of, f.choices.map(([v, words]) => el("option", { value: v, selected: v === value }, words)));
	if (f.rows)
		return Object.assign(el("textarea", { ...of, rows: f.rows, maxlength: f.max || 200 }), { value });
	const list = f.suggested ? `${id}-list` : null;
	return Object.assign(el("input", { ...of, maxlength: f.max || 200, autocomplete: "off", list,
		onkeydown: (e) => e.key === "Enter" && send() }), { value });
}

const suggestions = (f) => (f.suggested ? el("datalist", { id: `asking-${f.name}-list` },
	f.suggested.map(([v, words]) => el("option", { value: v }, words))) : null);

async function send() {
	const missing = asked.fields.find((f) => f.needed && !fieldOf(f).value.trim());
	if (missing) {
		fieldOf(missing).focus();
		return;
	}
	const q = asked, values = answers();
	byId("asking").close();
	if (await q.send(values) && asked === q) // what was accepted is not offered again
		asked = null;
}

// { key, title, what, note, fields: [{ name, words, needed, rows, max, suggested, choices }], send(values) }. `send` says whether it
// was accepted: until then what was typed stays, so that a refusal loses nothing, unless something else is asked.
export function ask(question) {
	const values = asked?.key === question.key ? answers() : {};
	asked = question;
	byId("asking-title").textContent = byId("asking-ok").textContent = question.title;
	byId("asking-what").textContent = question.what || "";
	byId("asking-note").textContent = question.note || "";
	byId("asking-fields").replaceChildren(el("div", {}, question.fields.map((f) => [
		el("label", {}, el("span", {}, f.words), input(f, values[f.name] || "")), suggestions(f)])));
	byId("asking-no").textContent = t("back");
	byId("asking").showModal();
	(question.fields[0] ? fieldOf(question.fields[0]) : byId("asking-ok")).focus();
}

export function wireAsking() {
	byId("asking-no").addEventListener("click", () => byId("asking").close());
	byId("asking-ok").addEventListener("click", send);
}
