#include "hook.h"

#include "common/json.h"

#include <sodium.h>

static void sign(const char *secret, struct span before, struct span body, char hex[65])
{
	crypto_auth_hmacsha256_state state;
	uint8_t mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_init(&state, (const uint8_t *)secret, strlen(secret));
	crypto_auth_hmacsha256_update(&state, before.data, before.len);
	crypto_auth_hmacsha256_update(&state, body.data, body.len);
	crypto_auth_hmacsha256_final(&state, mac);
	sodium_bin2hex(hex, 65, mac, sizeof(mac));
	sodium_memzero(&state, sizeof(state));
}

int hook_compose(
	struct hook *h, const Ascolto__Order *o, const struct id *id, const char *secret, int64_t now_ms)
{
	char hex[65], before[32];
	*h = (struct hook){0};
	buf_init(&h->body, HOOK_BODY_MAX);
	int r = json_add_message(&h->body, &o->base);
	if (r)
		return r;
	id_format(id, h->delivery);
	snprintf(before, sizeof(before), "%" PRId64 ".", now_ms / 1000);
	sign(secret, span_str(before), buf_span(&h->body), hex);
	snprintf(h->signature, sizeof(h->signature), "t=%" PRId64 ",v1=%s", now_ms / 1000, hex);
	sign(secret, span_of("", 0), buf_span(&h->body), hex);
	snprintf(h->signature_256, sizeof(h->signature_256), "sha256=%s", hex);
	return 0;
}

void hook_free(struct hook *h)
{
	buf_free(&h->body);
}
