#include "tests/unit/check.h"

#include "common/metric.h"

#include <math.h>

static const struct metric_desc requests = {
	"ascolto_requests_total", METRIC_COUNTER, "Requests\nserved \\ refused", "channel"};
static const struct metric_desc depth = {"ascolto_queue_messages", METRIC_GAUGE, "Messages waiting"};
static const double bounds[] = {0.1, 1, 10};
static const struct metric_desc seconds = {
	"ascolto_turn_seconds", METRIC_HISTOGRAM, "A turn", "lane", bounds, ARRAY_SIZE(bounds)};
static const struct metric_desc plain = {"ascolto_wait_seconds", METRIC_HISTOGRAM, "Waiting"};

static int set_up(void **state)
{
	return metric_set_new((struct metric_set **)state);
}

static int tear_down(void **state)
{
	metric_set_free((struct metric_set **)state);
	metric_set_free((struct metric_set **)state); /* NULL by now */
	return *state ? -1 : 0;
}

static void test_print(void **state)
{
	struct metric_set *set = *state;
	metric_add(metric_series(set, &requests, "a\"b\\c\nd"), 2);
	metric_add(metric_series(set, &requests, "mail"), 0.5);
	metric_set_to(metric_series(set, &depth, NULL), -3);
	struct metric *h = metric_series(set, &seconds, "urgent");
	const double seen[] = {0.05, 0.1, 0.5, 10, 11};
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		metric_observe(h, seen[i]);

	struct buf out CLEANUP(buf_free);
	buf_init(&out, 100000);
	assert_int_equal(metric_print(set, &out), 0);
	assert_string_equal(buf_str(&out), "# HELP ascolto_requests_total Requests\\nserved \\\\ refused\n"
					   "# TYPE ascolto_requests_total counter\n"
					   "ascolto_requests_total{channel=\"a\\\"b\\\\c\\nd\"} 2\n"
					   "ascolto_requests_total{channel=\"mail\"} 0.5\n"
					   "# HELP ascolto_queue_messages Messages waiting\n"
					   "# TYPE ascolto_queue_messages gauge\n"
					   "ascolto_queue_messages -3\n"
					   "# HELP ascolto_turn_seconds A turn\n"
					   "# TYPE ascolto_turn_seconds histogram\n"
					   "ascolto_turn_seconds_bucket{lane=\"urgent\",le=\"0.1\"} 2\n"
					   "ascolto_turn_seconds_bucket{lane=\"urgent\",le=\"1\"} 3\n"
					   "ascolto_turn_seconds_bucket{lane=\"urgent\",le=\"10\"} 4\n"
					   "ascolto_turn_seconds_bucket{lane=\"urgent\",le=\"+Inf\"} 5\n"
					   "ascolto_turn_seconds_sum{lane=\"urgent\"} 21.65\n"
					   "ascolto_turn_seconds_count{lane=\"urgent\"} 5\n");
	assert_true(metric_value(h) == 5);
}

static void test_default_buckets(void **state)
{
	struct buf out CLEANUP(buf_free);
	buf_init(&out, 100000);
	metric_observe(metric_series(*state, &plain, "ignored: the metric has no label"), 0.3);
	assert_int_equal(metric_print(*state, &out), 0);
	assert_non_null(strstr(buf_str(&out), "ascolto_wait_seconds_bucket{le=\"0.25\"} 0\n"));
	assert_non_null(strstr(buf_str(&out), "ascolto_wait_seconds_bucket{le=\"0.5\"} 1\n"));
	assert_non_null(strstr(buf_str(&out), "ascolto_wait_seconds_sum 0.3\n"));
}

static void test_same_series(void **state)
{
	struct metric *a = metric_series(*state, &requests, "x");
	assert_non_null(a);
	assert_ptr_equal(a, metric_series(*state, &requests, "x"));
	assert_ptr_not_equal(a, metric_series(*state, &requests, "y"));
	metric_add(a, 1);
	metric_add(a, 1);
	assert_true(metric_value(a) == 2);
}

static void test_bounded(void **state)
{
	char name[16];
	for (int i = 0; i < METRIC_SERIES_MAX; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		assert_non_null(metric_series(*state, &requests, name));
	}
	assert_null(metric_series(*state, &requests, "one too many"));
	assert_non_null(metric_series(*state, &requests, "c0"));

	static const double many[METRIC_BUCKETS + 1];
	static const struct metric_desc wide = {
		"ascolto_wide", METRIC_HISTOGRAM, "", NULL, many, ARRAY_SIZE(many)};
	assert_null(metric_series(*state, &wide, NULL));
	metric_add(NULL, 1);
	metric_set_to(NULL, 1);
	metric_observe(NULL, 1);
	assert_true(metric_value(NULL) == 0);
}

static void test_numbers(void **state)
{
	static const struct {
		double v;
		const char *line;
	} rows[] = {
		{0, "ascolto_queue_messages 0\n"},
		{1700000000123, "ascolto_queue_messages 1700000000123\n"},
		{1e300, "ascolto_queue_messages 1e+300\n"},
		{1.0 / 3, "ascolto_queue_messages 0.3333333333333333"},
		{INFINITY, "ascolto_queue_messages +Inf\n"},
		{-INFINITY, "ascolto_queue_messages -Inf\n"},
		{NAN, "ascolto_queue_messages NaN\n"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct buf out CLEANUP(buf_free);
		buf_init(&out, 10000);
		metric_set_to(metric_series(*state, &depth, NULL), rows[i].v);
		assert_int_equal(metric_print(*state, &out), 0);
		if (!strstr(buf_str(&out), rows[i].line))
			fail_msg("%s is not in %s", rows[i].line, buf_str(&out));
	}
}

static void test_output_too_small(void **state)
{
	struct buf out CLEANUP(buf_free);
	buf_init(&out, 10);
	metric_series(*state, &depth, NULL);
	assert_int_equal(metric_print(*state, &out), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_print, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_default_buckets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_same_series, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_numbers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_output_too_small, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
