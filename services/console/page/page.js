// page.js - what is shown and what happens: loads everything once, then follows the console's events. After an
// interruption it loads everything again.
import { byId, el, number } from "./dom.js";
import { get, path, useBrand } from "./api.js";
import { language, setLanguage, t, translatePage } from "./words.js";
import { ROWS_MAX, focusMessage, markOpen, showInbox, step } from "./inbox.js";
import { announce, openIncidents, showIncidents } from "./banner.js";
import { showAdvocates } from "./advocates.js";
import { showCrisis } from "./crisis.js";
import { caseIsOpen, showCases } from "./cases.js";
import { showCase, showMessage, showMissing } from "./record.js";
import { ask, wireAsking } from "./asking.js";
import { closeMenu, wireMenus } from "./menu.js";
import { askWordings, wireWordings } from "./wordings.js";
import { complain, hearRefusals, translateNotices } from "./notice.js";
import { decide, keepDecisions } from "./decision.js";

const FILTERS = ["all", "needs_answer", "incident"];
const CASES_PAGES_MAX = 10;
const HEALTH_EVERY_MS = 10000;
const DRILL_EVERY_MS = 3000;

const state = {
	brand: null, live: "connecting", counts: null, clockOffset: 0, filter: "all", next: null,
	rows: new Map(), cases: new Map(), incidents: new Map(), deliveries: new Map(), answers: new Map(), advocates: new Map(),
	health: null,
	open: null, // { kind: "message" | "case", id, answer }
};

const now = () => Date.now() + state.clockOffset;

// ---- showing ----

let drawing = false;
function draw() {
	if (drawing)
		return;
	drawing = true;
	requestAnimationFrame(() => {
		drawing = false;
		drawTop();
		keepDecisions(() => {
			showCrisis(state.counts);
			showIncidents(state.incidents, state.deliveries, state.answers, now(), actions);
			if (shownRecord !== state.open)
				drawRecord();
			showCases(state.cases, state.counts, now(), actions);
		});
		showAdvocates(state.advocates, state.counts?.crisis, actions);
		showInbox(visibleRows(), actions);
		markOpen(state.open?.kind === "message" ? state.open.id : ""); // a row that changed is built anew
		byId("more").hidden = !state.next;
	});
}

function fits(row) {
	return state.filter === "all" || (state.filter === "incident" ? row.incident_id : row.needs_answer);
}

const visibleRows = () => [...state.rows.values()].filter(fits)
	.sort((a, b) => b.occurred_ms - a.occurred_ms || (a.id < b.id ? 1 : -1));

function drawTop() {
	const worst = openIncidents(state.incidents)[0];
	const title = state.brand?.title || "";
	document.title = `${worst ? `${t(`code_${worst.code}`)} · ` : ""}${title} – Ascolto`;
	byId("brand").textContent = title;
	byId("live").className = `live ${state.live}`;
	byId("live").textContent = t(state.live);
	const c = state.counts;
	byId("counts").replaceChildren(...(c ? [["n_messages", c.messages], ["n_cases", c.open_cases],
		["n_incidents", c.open_incidents], ["n_alerts", c.alerts_sent]]
		.map(([key, n]) => el("li", {}, el("strong", {}, number(n)), " ", t(n === 1 ? `${key}_1` : key))) : []));
}

function drawFilters() {
	byId("filters").replaceChildren(...FILTERS.map((f) => el("button", { type: "button",
		"aria-pressed": String(f === state.filter), onclick: () => chooseFilter(f) }, t(`filter_${f}`))));
}

function drawHealth() {
	const list = state.health || [];
	const ready = list.filter((s) => s.ready).length;
	const trouble = list.flatMap((s) => s.issues.map((issue) => `${s.name}: ${issue}`));
	byId("health").classList.toggle("bad", ready < list.length);
	byId("health").firstElementChild.textContent =
		list.length ? t("services", `${ready}/${list.length}`) : t("health_unknown");
	byId("health").lastElementChild.replaceChildren(
		...(trouble.length ? trouble : [t("all_well")]).map((x) => el("li", {}, x)));
}

// ---- loading ----

function addRows(rows) {
	for (const row of rows)
		state.rows.set(row.id, row);
	if (state.rows.size <= ROWS_MAX + 100)
		return;
	const sorted = [...state.rows.values()].sort((a, b) => b.occurred_ms - a.occurred_ms);
	for (const row of sorted.slice(ROWS_MAX))
		state.rows.delete(row.id);
	state.next = sorted[ROWS_MAX - 1].id;
}

function addIncident(incident) {
	announce(state.incidents.get(incident.id), incident);
	state.incidents.set(incident.id, incident);
}

// Those of answers belong to their cases.
function addDelivery(d) {
	if (d.template === "answer")
		return;
	const subject = d.incident_id || d.case_id;
	const others = (state.deliveries.get(subject) || []).filter((x) => x.order_id !== d.order_id);
	state.deliveries.set(subject, [...others, d]);
}

// Those to one case are read with it.
function addAnswer(a) {
	if (a.case_id) {
		if (state.open?.kind === "case" && state.open.id === a.case_id)
			actions.openCase(a.case_id, false);
		return;
	}
	const others = (state.answers.get(a.incident_id) || []).filter((x) => x.id !== a.id);
	state.answers.set(a.incident_id, [...others, a].sort((x, y) => (y.proposed_ms || 0) - (x.proposed_ms || 0)));
}

function addCase(c) {
	state.cases.set(c.id, c);
	for (const [id, row] of state.rows)
		if (row.case_id === c.id && Boolean(row.needs_answer) !== caseIsOpen(c))
			state.rows.set(id, { ...row, needs_answer: caseIsOpen(c) });
	if (state.open?.kind === "case" && state.open.id === c.id)
		actions.openCase(c.id, false);
}

function addCounts(counts) {
	state.counts = counts;
	state.clockOffset = counts.now_ms - Date.now();
}

async function loadMessages() {
	const answer = await get("messages", { limit: 100, filter: state.filter });
	state.rows.clear();
	addRows(answer.messages);
	state.next = answer.next || null;
}

// All that are open, as far as a page can show them: what is late was often not touched for long.
async function loadCases() {
	const cases = new Map();
	for (let before = "", n = 0; before !== undefined && n < CASES_PAGES_MAX; n++) {
		const answer = await get("cases", { limit: 200, ...(before && { before }) });
		answer.cases.forEach((c) => cases.set(c.id, c));
		before = answer.next;
	}
	state.cases = cases;
}

function addDetails(incident, answer) {
	state.deliveries.set(incident, answer.deliveries);
	answer.answers.forEach(addAnswer);
}

// They are offered in a crisis, and not before.
async function loadAdvocates() {
	const list = state.counts?.crisis ? (await get("advocates")).advocates : [];
	state.advocates = new Map(list.map((a) => [a.customer_id, a]));
}

function addAdvocate(a) {
	if (a.removed)
		state.advocates.delete(a.customer_id);
	else
		state.advocates.set(a.customer_id, a);
}

function hearCounts(counts) {
	const was = Boolean(state.counts?.crisis);
	addCounts(counts);
	if (was !== Boolean(counts.crisis))
		loadAdvocates().then(draw, () => {});
}

async function loadRefusals() {
	hearRefusals((await get("refusals")).refusals);
}

async function loadAll() {
	try {
		const [counts, incidents] = await Promise.all([get("counts"), get("incidents", { limit: 50 }), loadCases(),
			loadMessages(), loadRefusals()]);
		addCounts(counts);
		await loadAdvocates();
		for (const i of incidents.incidents)
			addIncident(i);
		for (const i of openIncidents(state.incidents).slice(0, 5))
			addDetails(i.id, await get(`incidents/${i.id}`));
		if (state.open)
			await open(state.open.kind, state.open.id, false);
	} catch (e) {
		complain(t("failed", e.message || t("offline")));
	}
	draw();
}

// At most every two seconds, however often it is asked for.
let loading = null;
function loadSoon() {
	loading ??= setTimeout(() => {
		loading = null;
		loadAll();
	}, 2000);
}

async function loadHealth() {
	try {
		state.health = (await get("health")).services;
	} catch {
		state.health = null;
	}
	drawHealth();
}

// ---- events ----

const events = {
	inbox: (d) => {
		addRows(d.messages);
		if (state.open?.kind === "message" && d.messages.some((row) => row.id === state.open.id))
			open("message", state.open.id, false);
	},
	case: (d) => d.cases.forEach(addCase),
	incident: (d) => d.incidents.forEach(addIncident),
	delivery: (d) => d.deliveries.forEach(addDelivery),
	answer: (d) => d.answers.forEach(addAnswer),
	refusal: (d) => {
		hearRefusals(d.refusals);
		loadSoon(); // what is shown may be older than what is
	},
	advocate: (d) => d.advocates.forEach(addAdvocate),
	crisis: () => {}, // the counts that follow say it
	counts: hearCounts,
	reload: loadSoon,
};

function listen() {
	const source = new EventSource(path("events"));
	source.onopen = () => {
		state.live = "live";
		loadAll();
	};
	source.onerror = () => {
		state.live = "lost";
		drawTop();
		if (source.readyState === EventSource.CLOSED)
			setTimeout(listen, 3000); // refused: the browser does not come back by itself
	};
	for (const [name, fn] of Object.entries(events))
		source.addEventListener(name, (e) => {
			const data = JSON.parse(e.data);
			fn(data);
			if (data.more)
				loadSoon();
			draw();
		});
}

// "brezza~spring": an exercise of that brand. It is never mixed with what is real, and is shown to who asks for it by name.
function drillBrand(brands, wanted) {
	const real = wanted?.includes("~") && brands.find((b) => b.name === wanted.split("~")[0]);
	return real && { ...real, name: wanted, title: `DRILL – ESERCITAZIONE · ${real.title}`, drill: true };
}

// Its changes are not pushed.
async function followDrill() {
	state.live = "live";
	await loadAll();
	setTimeout(followDrill, DRILL_EVERY_MS);
}

// ---- deciding and opening ----

// With the focus when somebody asks for it; without it, what is open is read again.
async function open(kind, id, focus) {
	let answer = null;
	try {
		answer = await get(`${kind}s/${id}`);
	} catch {
		answer = null;
	}
	const shown = state.open?.kind === kind && state.open.id === id;
	if (!focus && (!shown || JSON.stringify(answer) === JSON.stringify(state.open.answer)))
		return; // closed meanwhile, or nothing new: what somebody uses stays as it is
	state.open = { kind, id, answer };
	draw();
	if (!focus)
		return;
	drawRecord();
	byId("record").focus({ preventScroll: true });
	byId("record").scrollTop = 0;
}

let shownRecord = null;
function drawRecord() {
	const o = shownRecord = state.open;
	document.body.classList.toggle("reading", Boolean(o));
	byId("record").hidden = !o;
	markOpen(o?.kind === "message" ? o.id : "");
	if (!o)
		return;
	if (!o.answer)
		showMissing();
	else if (o.kind === "message")
		showMessage(o.answer, actions);
	else
		showCase(o.answer, now(), actions);
}

function closeRecord() {
	const o = state.open;
	state.open = null;
	drawRecord();
	if (o?.kind === "message")
		focusMessage(o.id);
	else if (o)
		byId("case-list").querySelector(`[data-open-case="${CSS.escape(o.id)}"]`)?.focus();
}

const mergeable = (c, other) => other.id !== c.id && other.state !== "closed";
// The same customer, then the same incident.
const alike = (c, other) => 2 * (other.customer_id === c.customer_id) + (Boolean(c.incident_id) && other.incident_id === c.incident_id);

const actions = {
	openMessage: (id) => open("message", id, true),
	openCase: (id, focus = true) => open("case", id, focus),
	acknowledgeIncident: (id, button) => decide(`incidents/${id}/acknowledge`, {}, button),
	closeIncident: (i, button) => ask({ key: `${i.id} close`, title: t("close_incident"), what: i.title || i.kind,
		fields: [{ name: "reason", words: t("close_reason"), needed: true },
			{ name: "lessons", words: t("close_lessons"), rows: 7, max: 3000 }],
		send: (values) => decide(`incidents/${i.id}/close`, values, button) }),
	doneStep: (id, n, button) => decide(`incidents/${id}/step`, { number: n }, button, "✓"),
	writeWordings: (i) => askWordings(i, state.brand?.channels || [],
		[...state.cases.values()].filter((c) => c.incident_id === i.id && caseIsOpen(c))),
	proposeHolding: (id, button) => decide(`incidents/${id}/answer`, {}, button),
	approveAnswer: (of, answer, role, button) => decide(`${of}/approve`, { answer, role }, button),
	sendAnswer: (id, text, button) => decide(`cases/${id}/answer`, { text }, button),
	decideCase: (id, what, body, button) => decide(`cases/${id}/${what}`, body, button),
	hasOtherCases: (c) => [...state.cases.values()].some((o) => mergeable(c, o)),
	otherCases: (c) => [...state.cases.values()].filter((o) => mergeable(c, o)).sort((a, b) => alike(c, b) - alike(c, a) || b.updated_ms - a.updated_ms),
	owners: () => [...new Set([...state.cases.values()].map((c) => c.owner))].filter(Boolean).sort(),
	keepAdvocate: (id, listed, button) => decide(`messages/${id}/advocate`, { listed }, button),
	move: (id, lane, button) => decide(`messages/${id}/move`, { lane }, button),
	correct: (id, value, button) =>
		decide(`messages/${id}/correct`, { task: "intent", label: value }, button, t("corrected")),
};

function chooseFilter(filter) {
	state.filter = filter;
	drawFilters();
	loadMessages().catch((e) => complain(t("failed", e.message || t("offline")))).then(draw);
}

async function loadOlder() {
	const answer = await get("messages", { limit: 100, filter: state.filter, before: state.next })
		.catch(() => null);
	if (!answer)
		return;
	for (const row of answer.messages)
		state.rows.set(row.id, row);
	state.next = answer.next || null;
	draw();
}

function chooseView(view) {
	document.body.dataset.view = view;
	for (const b of document.querySelectorAll("[data-view]"))
		if (b !== document.body)
			b.setAttribute("aria-pressed", String(b.dataset.view === view));
}

function chooseLanguage(name) {
	setLanguage(name);
	translatePage();
	drawFilters();
	drawHealth();
	translateNotices();
	drawRecord();
	draw();
}

function onKey(e) {
	if (e.target.closest("input, select, textarea, dialog") || e.ctrlKey || e.metaKey || e.altKey)
		return;
	if (e.key === "Escape" && closeMenu())
		return;
	if (e.key === "j" || e.key === "k") {
		step(e.key === "j" ? 1 : -1);
		e.preventDefault();
	} else if (e.key === "Escape" && state.open) {
		closeRecord();
	}
}

// ---- start ----

async function start() {
	byId("actor").value = localStorage.getItem("ascolto.actor") || "";
	byId("actor").addEventListener("change", (e) => localStorage.setItem("ascolto.actor", e.target.value.trim()));
	byId("more").addEventListener("click", loadOlder);
	byId("record").addEventListener("click", (e) => e.target.closest("[data-close]") && closeRecord());
	wireAsking();
	wireMenus();
	wireWordings();
	for (const b of document.querySelectorAll("[data-language]"))
		b.addEventListener("click", () => chooseLanguage(b.dataset.language));
	for (const b of document.querySelectorAll("nav [data-view]"))
		b.addEventListener("click", () => chooseView(b.dataset.view));
	document.addEventListener("keydown", onKey);
	chooseView("inbox");
	chooseLanguage(language());
	const wanted = new URLSearchParams(location.search).get("brand");
	const { brands } = await get("brands").catch(() => ({ brands: [] }));
	state.brand = brands.find((b) => b.name === wanted) || drillBrand(brands, wanted) || brands[0] || null;
	useBrand(state.brand?.name || "");
	if (state.brand?.drill)
		followDrill();
	else
		listen();
	loadHealth();
	setInterval(loadHealth, HEALTH_EVERY_MS);
	setInterval(draw, 15000);
}

start();
