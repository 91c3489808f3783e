#include "services/escalation/playbook/rotation.h"

unsigned rotation_on_call(const struct rotation *r, int64_t at_ms)
{
	for (size_t i = r->overrides_count; i-- > 0;)
		if (at_ms >= r->overrides[i].from_ms && at_ms < r->overrides[i].to_ms)
			return r->overrides[i].member;
	struct zone_time t = zone_local(r->zone, at_ms);
	int64_t days = (int64_t)t.day - r->start_day - (t.second < r->at_minute * 60);
	int64_t turn = days / r->turn_days - (days % (int64_t)r->turn_days < 0);
	int64_t n = r->members_count;
	return r->members[(turn % n + n) % n];
}
