#include "services/escalation/evidence/audit_chain.h"

#include <sodium.h>

#include "proto/state.pb-c.h"

_Static_assert(AUDIT_HASH == crypto_generichash_BYTES, "BLAKE2b-256");

void audit_genesis(const char *brand, uint8_t ret[AUDIT_HASH])
{
	crypto_generichash(ret, AUDIT_HASH, (const uint8_t *)brand, strlen(brand), NULL, 0);
}

void audit_hash(const uint8_t before[AUDIT_HASH], struct span entry, uint8_t ret[AUDIT_HASH])
{
	crypto_generichash_state s;
	crypto_generichash_init(&s, NULL, 0, AUDIT_HASH);
	crypto_generichash_update(&s, before, AUDIT_HASH);
	crypto_generichash_update(&s, entry.data, entry.len);
	crypto_generichash_final(&s, ret, AUDIT_HASH);
}

void audit_chain_begin(struct audit_chain *c, const char *brand)
{
	*c = (struct audit_chain){0};
	audit_genesis(brand, c->hash);
}

static enum audit_fault broken(struct audit_chain *c, uint64_t number, enum audit_fault f)
{
	c->broken = number;
	return f;
}

enum audit_fault audit_chain_next(struct audit_chain *c, uint64_t number, struct span entry, struct span hash)
{
	uint8_t expected[AUDIT_HASH];
	uint64_t next = c->number + 1;
	if (number != next)
		return broken(c, next, AUDIT_MISSING);
	if (!entry.len || hash.len != AUDIT_HASH)
		return broken(c, next, AUDIT_DAMAGED);
	audit_hash(c->hash, entry, expected);
	State__AuditEntry *e = state__audit_entry__unpack(NULL, entry.len, entry.data);
	uint64_t says = e ? e->number : 0;
	int64_t at_ms = e ? e->at_ms : 0;
	state__audit_entry__free_unpacked(e, NULL);
	if (!e)
		return broken(c, next, AUDIT_DAMAGED);
	if (says != next)
		return broken(c, next, AUDIT_MOVED);
	if (memcmp(expected, hash.data, AUDIT_HASH) != 0)
		return broken(c, next, AUDIT_CHANGED);
	memcpy(c->hash, expected, AUDIT_HASH);
	c->number = next;
	c->first_ms = next == 1 ? at_ms : c->first_ms;
	c->last_ms = at_ms;
	return AUDIT_WHOLE;
}

enum audit_fault audit_chain_seen(struct audit_chain *c, uint64_t number, struct span hash)
{
	if (number != c->number)
		return AUDIT_WHOLE;
	if (hash.len < 4 || hash.len > AUDIT_HASH || memcmp(c->hash, hash.data, hash.len) != 0)
		return broken(c, number, AUDIT_REWRITTEN);
	return AUDIT_WHOLE;
}

enum audit_fault audit_chain_end(struct audit_chain *c, uint64_t seen)
{
	return seen > c->number ? broken(c, c->number + 1, AUDIT_CUT) : AUDIT_WHOLE;
}

const char *audit_fault_words(enum audit_fault f)
{
	static const char *const words[] = {
		[AUDIT_WHOLE] = "is as it was written",
		[AUDIT_DAMAGED] = "can not be read: it is damaged",
		[AUDIT_CHANGED] = "was changed",
		[AUDIT_MISSING] = "is missing",
		[AUDIT_MOVED] = "holds the entry of another number: entries were moved",
		[AUDIT_CUT] = "and what followed it were cut off: they were seen elsewhere",
		[AUDIT_REWRITTEN] = "is not the one that was seen elsewhere: the log was rewritten up to there",
	};
	return words[f];
}
