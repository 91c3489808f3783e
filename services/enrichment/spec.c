#include "services/enrichment/enrichment.h"

#include "proto/state.pb-c.h"

const struct table enrichment_tables[] = {
	[CUSTOMERS] = {0x20, "customers", &state__customer__descriptor,
		"customer id: who wrote, counters of what they wrote and how it ended"},
	[CONVERSATIONS] = {0x21, "conversations", &state__conversation__descriptor,
		"customer id, channel, thread: the messages of one thread with one customer"},
	{0},
};

static const struct handler handlers[] = {
	{ASCOLTO__ENVELOPE__BODY_RECEIVED, enrichment_received, "Received: a message, from ingest"},
	{ASCOLTO__ENVELOPE__BODY_HISTORY, enrichment_history, "History: a case opened or ended, from escalation"},
	{0},
};

static const struct counter counters[] = {
	{"messages", "Messages enriched"},
	{"customers", "Customers known"},
	{"conversations", "Conversations known"},
	{0},
};

static const char *const emits[] = {"intent", NULL};

const struct svc_spec enrichment_spec = {
	.name = "enrichment",
	.summary = "joins each message with what is known about its writer",
	.handlers = handlers,
	.tables = enrichment_tables,
	.counters = counters,
	.emits = emits,
};
