#include "rules.h"

static enum attempt_result by_http_status(long status)
{
	if (status >= 200 && status < 300)
		return ATTEMPT_SENT;
	if (status < 200)
		return ATTEMPT_UNKNOWN;
	if (status >= 500 || status == 408 || status == 425 || status == 429)
		return ATTEMPT_RETRY;
	return ATTEMPT_REJECTED; /* redirects too: they are not followed */
}

enum attempt_result attempt_result_of(const struct call_facts *f)
{
	if (f->end == CALL_NOT_SENT)
		return ATTEMPT_RETRY;
	if (!f->mail) /* a status says enough, even when the body after it was cut off */
		return by_http_status(f->status);
	if (f->end == CALL_UNKNOWN)
		return ATTEMPT_UNKNOWN;
	if (f->status >= 500)
		return ATTEMPT_REJECTED;
	return f->status >= 400 ? ATTEMPT_RETRY : ATTEMPT_SENT;
}

int64_t deadline_of(int64_t arrived_ms, int64_t not_after_ms)
{
	int64_t last = arrived_ms + KEEP_TRYING_MS;
	return not_after_ms > 0 ? MIN(not_after_ms, last) : last;
}

/* splitmix64's finish: neighbouring seeds give unlike numbers. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

int64_t retry_at(
	uint32_t attempts, int64_t now_ms, int64_t retry_after_ms, int64_t deadline_ms, uint64_t seed)
{
	int64_t pause = RETRY_FIRST_MS;
	for (uint32_t n = 1; n < attempts && pause < RETRY_MAX_MS; n++)
		pause *= 2;
	pause = MIN(pause, RETRY_MAX_MS);
	pause -= (int64_t)(mix(seed + attempts) % (uint64_t)(pause / 4 + 1));
	if (retry_after_ms > 0)
		pause = MAX(pause, MIN(retry_after_ms, RETRY_AFTER_MAX_MS));
	return MIN(now_ms + pause, MAX(deadline_ms, now_ms));
}

enum due due_of(const struct due_facts *f, int64_t now_ms)
{
	if (!f->waiting || f->next_attempt_ms > now_ms)
		return DUE_NOTHING; /* another timer will come for it, or the end of its call */
	if (now_ms >= f->deadline_ms)
		return DUE_EXPIRE;
	return f->stopping || f->calls >= CALLS_MAX ? DUE_WAIT : DUE_CALL;
}
