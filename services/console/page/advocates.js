// advocates.js - in a crisis: who speaks well of the brand by themselves, and where they were heard last.
import { byId, el, number, when } from "./dom.js";
import { t } from "./words.js";

let shown = "";

export function showAdvocates(advocates, crisis, actions) {
	const sorted = crisis ? [...advocates.values()].sort((a, b) => (b.heard_ms || 0) - (a.heard_ms || 0)) : [];
	const state = JSON.stringify([sorted, document.documentElement.lang]);
	if (state === shown)
		return; // a list somebody reads stays open
	shown = state;
	byId("advocates").hidden = !sorted.length;
	byId("advocates").firstElementChild.textContent = t("advocates", number(sorted.length));
	byId("advocates").lastElementChild.replaceChildren(...sorted.map((a) => el("li", {},
		el("button", { type: "button", class: "link", onclick: () => actions.openMessage(a.message_id) },
			a.name || a.handle || t("anonymous")), " ",
		el("span", { class: "by" }, [a.channel, when(a.heard_ms), a.by ? t("listed_by", a.by)
			: t("praise_days", number(a.praise_days || 0))].filter(Boolean).join(" · ")))));
}
