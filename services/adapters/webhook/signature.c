#include "services/adapters/webhook/signature.h"

#include <sodium.h>

#define TIME_DIGITS_MAX 12

struct header {
	char t[TIME_DIGITS_MAX + 1]; /* as it was written: it is part of what is signed */
	char v1[SIGNATURES_MAX][SIGNATURE_HEX + 1];
	size_t n_v1;
};

static int refuse(struct err *why, const char *what)
{
	return err_set(why, -EACCES, "%s", what);
}

static int read_time(struct header *h, const char *value, size_t len, struct err *why)
{
	if (h->t[0])
		return refuse(why, "the signature has more than one t");
	if (!len || len > TIME_DIGITS_MAX || strspn(value, "0123456789") < len)
		return refuse(why, "the signature's t is not a time in seconds");
	memcpy(h->t, value, len);
	return 0;
}

static int read_v1(struct header *h, const char *value, size_t len, struct err *why)
{
	if (h->n_v1 == SIGNATURES_MAX)
		return refuse(why, "the signature has too many v1");
	if (len != SIGNATURE_HEX || strspn(value, "0123456789abcdef") < len)
		return refuse(why, "the signature's v1 is not 64 lower-case hex digits");
	memcpy(h->v1[h->n_v1++], value, len);
	return 0;
}

static int read_header(struct header *h, const char *text, struct err *why)
{
	if (str_empty(text))
		return refuse(why, "X-Ascolto-Signature is missing, empty or there more than once");
	for (const char *p = text;;) {
		size_t len = strcspn(p, ",");
		const char *eq = memchr(p, '=', len);
		if (!eq || eq == p)
			return refuse(why, "the signature is not a list of KEY=VALUE");
		size_t value_len = len - (size_t)(eq + 1 - p);
		int r = 0;
		if (eq - p == 1 && p[0] == 't')
			r = read_time(h, eq + 1, value_len, why);
		else if (eq - p == 2 && p[0] == 'v' && p[1] == '1')
			r = read_v1(h, eq + 1, value_len, why);
		if (r)
			return r;
		if (!p[len])
			break;
		p += len + 1;
	}
	if (!h->t[0])
		return refuse(why, "the signature has no t");
	if (!h->n_v1)
		return refuse(why, "the signature has no v1");
	return 0;
}

void signature_make(const char *secret, const char *t, struct span body, char hex[SIGNATURE_HEX + 1])
{
	crypto_auth_hmacsha256_state state;
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_init(&state, (const uint8_t *)secret, strlen(secret));
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)t, strlen(t));
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)".", 1);
	crypto_auth_hmacsha256_update(&state, body.data, body.len);
	crypto_auth_hmacsha256_final(&state, mac);
	sodium_bin2hex(hex, SIGNATURE_HEX + 1, mac, sizeof(mac));
	sodium_memzero(&state, sizeof(state));
}

int signature_check(const char *header, struct span body, const char *const *secrets, size_t n_secrets,
	int64_t now_s, struct err *why)
{
	struct header h = {{0}};
	int r = read_header(&h, header, why);
	if (r)
		return r;
	bool good = false, any_secret = false;
	for (size_t i = 0; i < n_secrets; i++) {
		if (str_empty(secrets[i]))
			continue;
		any_secret = true;
		char hex[SIGNATURE_HEX + 1];
		signature_make(secrets[i], h.t, body, hex);
		for (size_t k = 0; k < h.n_v1; k++)
			good |= sodium_memcmp(hex, h.v1[k], SIGNATURE_HEX) == 0;
	}
	if (!any_secret)
		return refuse(why, "this channel has no secret");
	if (!good)
		return refuse(why, "the signature does not match the body");
	int64_t t = (int64_t)strtoll(h.t, NULL, 10);
	if (t < now_s - SIGNATURE_WINDOW_S || t > now_s + SIGNATURE_WINDOW_S)
		return err_set(why, -EACCES,
			"the signature's t is %" PRId64 " s away from our clock; at most %d are allowed",
			t > now_s ? t - now_s : now_s - t, SIGNATURE_WINDOW_S);
	return 0;
}
