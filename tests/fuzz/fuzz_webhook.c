/*
 * The header of a signed webhook. Up to the first line end the input is the header, behind it the body;
 * nobody who does not know the secret may pass. Then the same body signed as it should be, with the header's
 * words before it: that passes when the words do no harm, and never with another body.
 */
#include "tests/fuzz/fuzz.h"

#include "services/adapters/webhook/signature.h"

#define NOW_S 1763757000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const secrets[] = {"a secret that is not in the corpus 8f1c", NULL, ""};
	static const char *const none[] = {NULL, ""};
	char header[4096], signed_header[4400], hex[SIGNATURE_HEX + 1];
	struct fuzz_input in = {data, size};
	struct err e = {0};
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	fuzz_str(&in, end ? (size_t)(end - data) : size, header, sizeof(header));
	fuzz_u8(&in);
	struct span body = span_of(in.data, in.size);
	CHECK(signature_check(header, body, secrets, ARRAY_SIZE(secrets), NOW_S, &e) == -EACCES);
	CHECK(e.text[0] && !strstr(e.text, secrets[0]));
	CHECK(signature_check(header, body, none, ARRAY_SIZE(none), NOW_S, NULL) == -EACCES);
	CHECK(signature_check(NULL, body, secrets, 1, NOW_S, NULL) == -EACCES);

	signature_make(secrets[0], "1763757000", body, hex);
	snprintf(signed_header, sizeof(signed_header), "t=1763757000,v1=%s", hex);
	CHECK(signature_check(signed_header, body, secrets, ARRAY_SIZE(secrets), NOW_S, NULL) == 0);
	CHECK(signature_check(signed_header, body, secrets, ARRAY_SIZE(secrets),
		      NOW_S + SIGNATURE_WINDOW_S + 1, NULL) == -EACCES);
	if (body.len)
		CHECK(signature_check(signed_header, span_of(body.data, body.len - 1), secrets, 1, NOW_S,
			      NULL) == -EACCES);
	return 0;
}
