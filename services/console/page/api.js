// api.js - calls to the console's API. Errors are Error objects whose message is the sentence the console gave; `findings` are those
// of a text that may not be sent.
async function call(path, options) {
	let reply;
	try {
		reply = await fetch(path, options);
	} catch {
		throw new Error("");
	}
	const body = await reply.json().catch(() => ({}));
	if (!reply.ok)
		throw Object.assign(new Error(body.error || `${reply.status}`), { findings: body.findings || [] });
	return body;
}

let brand = "";
export const useBrand = (name) => {
	brand = name;
};

export function path(rest, parameters = {}) {
	const query = new URLSearchParams({ ...(brand && { brand }), ...parameters });
	return `/api/v1/${rest}?${query}`;
}

export const get = (rest, parameters) => call(path(rest, parameters), { cache: "no-store" });

export const post = (rest, body) =>
	call(path(rest), {
		method: "POST",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify(body),
	});
