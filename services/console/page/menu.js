// menu.js - what is decided less often: a button that opens a list of further ones.
import { el } from "./dom.js";
import { t } from "./words.js";

const close = (m) => {
	m.open = false;
};

// `about` is what it belongs to, for people who listen to the page. While something from it is sent the button says so, under `key`
// (decision.js). Whoever leaves it closes it.
export function menu(key, about, buttons) {
	const list = el("ul", {}, buttons.map((b) => el("li", {}, b)));
	const button = el("summary", { class: "plain", "data-decision": key, "aria-label": `${t("more")}: ${about}` }, t("more"));
	const m = el("details", { class: "menu", ontoggle: () => m.open && list.scrollIntoView({ block: "nearest" }),
		onfocusout: (e) => e.relatedTarget && !m.contains(e.relatedTarget) && close(m) }, button, list);
	list.addEventListener("click", () => {
		button.focus(); // before what was pressed is hidden
		close(m);
	}, true);
	return m;
}

// The button that says what became of it: that of the menu, when it is in one.
export const shownButton = (b) => b.closest(".menu")?.querySelector("summary") ?? b;

// True when there was one to close.
export function closeMenu() {
	const m = document.querySelector(".menu[open]");
	if (m) {
		close(m);
		m.querySelector("summary").focus();
	}
	return Boolean(m);
}

export function wireMenus() {
	document.addEventListener("click", (e) => document.querySelectorAll(".menu[open]").forEach((m) => m.contains(e.target) || close(m)));
}
