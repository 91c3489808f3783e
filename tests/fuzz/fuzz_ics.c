/* An iCalendar file: libical reads what anybody may have exported. What is taken is ascending days that a calendar takes. */
#include "tests/fuzz/fuzz.h"

#include "common/calendar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct calendar_hours hours[] = {{CALENDAR_ALL_WEEK, 540, 1080}};
	int32_t *days = NULL;
	size_t n = 0;
	struct err e = {0};
	int r = calendar_read_ics(fuzz_file(data, size), &days, &n, &e);
	CHECK(r ? !days && e.text[0] : days && n <= CALENDAR_HOLIDAYS_MAX);
	for (size_t i = 1; i < n; i++)
		CHECK(days[i - 1] < days[i]);
	if (!r) {
		const struct calendar_spec spec = {.time_zone = "UTC", .hours = hours, .hours_count = 1, .holiday_days = days,
			.holiday_days_count = n};
		struct calendar *c = NULL;
		char where[32];
		CHECK(calendar_new(&c, &spec, where, NULL) == 0);
		for (size_t i = 0; i < n; i++)
			CHECK(!calendar_is_open(c, (int64_t)days[i] * 86400000 + 43200000));
		calendar_free(&c);
	}
	free(days);
	return 0;
}
