/* People's corrections become a better model, or a refusal with its reason. */
#include "tests/component/intent_stage.h"

#define LOAD 20000
#define LEAVES "disdetta dell'abbonamento, vorrei cessare il contratto"

static char said[16384];

/* Messages about something the shipped model has never heard of. */
static void correct_leavers(int n)
{
	static const char *const what[] = {"disdetta", "cessare", "recesso", "chiudere"};
	static const char *const of[] = {"abbonamento", "contratto", "linea", "utenza"};
	char text[200];
	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "vorrei %s dell'%s %s caso%d", what[i % 4], of[i / 4 % 4], what[i / 3 % 4], i);
		send_correction(i, text, "intent", "cancel", now_ms() - 1000 + i);
	}
	assert_true(peer_wait_sent(escalation, 20000));
}

/* Somebody says, again and again, that broken modems are praise; or, at random, anything. */
static void poison(int n, bool random)
{
	char text[200];
	const char *const *labels = dataset_labels("intent");
	for (int i = 0; i < n; i++) {
		text_of(2 * i, false, text);
		send_correction(5000 + i, text, "intent", random ? labels[(unsigned)i * 2654435761u % 15] : "praise",
			now_ms() - 1000 + i);
	}
	assert_true(peer_wait_sent(escalation, 20000));
}

static void test_learns(void **state)
{
	(void)state;
	char before[128], after[128];
	assert_string_not_equal(ask_intent(LEAVES, before), "cancel");
	correct_leavers(40);
	EXPECT(0, said, "intent retrain intent --wait");
	says(said, "better: right on ");
	says(said, "of 40 corrections held back, the running model on 0");
	says(said, "running");
	assert_string_equal(ask_intent(LEAVES, after), "cancel");
	assert_string_not_equal(before, after);
	assert_string_equal(ask_intent("il modem rotto e' spento", NULL), "report_fault");
	EXPECT(0, said, "intent models");
	says(said, "280");

	/* It knows them now: there is nothing new to learn. */
	EXPECT(1, said, "intent retrain intent");
	says(said, "there are 0 corrections of intent since its model was trained; 10 are needed");
	EXPECT(0, said, "intent rollback intent");
	assert_string_not_equal(ask_intent(LEAVES, after), "cancel");
	assert_string_equal(before, after);
}

static void test_poison_is_refused(void **state)
{
	(void)state;
	char before[128], after[128];
	ask_intent(LEAVES, before);
	poison(40, true);
	EXPECT(1, said, "intent retrain intent --wait");
	says(said, "not better: right on ");
	says(said, "refused");
	/* So many that what is held back agrees with what is not: the test rows tell. */
	poison(400, false);
	EXPECT(1, said, "intent retrain intent --wait");
	says(said, "worse: with the corrections ");
	ask_intent(LEAVES, after);
	assert_string_equal(before, after);
	assert_string_equal(ask_intent("il modem rotto e' spento", NULL), "report_fault");
	EXPECT(0, said, "intent models intent");
	says(said, "worse: with the corrections ");
	says(said, "accuracy on these");
	assert_int_equal(program_stop(&intent, SIGTERM), 0);
	start_intent();
	EXPECT(0, said, "intent models");
	says(said, "refused: worse: with the corrections");
}

static void test_export(void **state)
{
	(void)state;
	char line[512];
	correct_leavers(12);
	send_correction(3, "vorrei\tandare\nvia", "intent", "complain", now_ms() + 1000); /* second thoughts */
	send_correction(3, "vorrei andare via", "lane", "none", now_ms() + 1001);
	assert_true(peer_wait_sent(escalation, 20000));
	EXPECT(0, said, "intent corrections --task intent --out %s", file_of("c.tsv"));
	says(said, "12 corrections in ");
	FILE *f = fopen(file_of("c.tsv"), "r");
	size_t n = 0, seconds = 0;
	while (fgets(line, sizeof(line), f)) {
		n++;
		if (n == 1)
			assert_string_equal(line, "id\tlang\tsurface\tchannel\ttext\tintent\tby\tat_ms\n");
		seconds += strstr(line, "vorrei andare via\tcomplain\tanna\t") != NULL;
	}
	fclose(f);
	assert_int_equal(n, 13);
	assert_int_equal(seconds, 1);
	/* As it is, it trains a model. */
	EXPECT(0, said, "intent train --quiet --task intent --data %s --data %s --out %s", file_of("c.tsv"),
		file_of("models/data/train.tsv"), file_of("c.model"));
	EXPECT(0, said, "intent corrections --out -");
	says(said, "\tlane\tnone\tanna\t");
	EXPECT(0, said, "intent corrections --task lane --out -");
	says(said, "text\tintent\tlane\tby\tat_ms\n");
	says(said, "vorrei andare via\tother\tnone\tanna\t");
	EXPECT(1, said, "intent forget 'nobody else'");
	says(said, "nothing was corrected by \"nobody else\"");
	EXPECT(0, said, "intent forget anna --task lane");
	says(said, "lane: what anna corrected is forgotten: 1 messages");
	EXPECT(0, said, "intent models intent");
	says(said, "since the last retraining: 12");
	EXPECT(0, said, "intent forget anna");
	says(said, "what anna corrected is forgotten: 12 messages");
	EXPECT(0, said, "intent corrections --out -");
	assert_null(strstr(said, "anna"));
	EXPECT(0, said, "intent models intent");
	says(said, "since the last retraining: 0");
	EXPECT(2, said, "intent forget");
	EXPECT(2, said, "intent corrections");
	EXPECT(2, said, "intent corrections --task mood --out -");
	EXPECT(1, said, "intent corrections --out /nonexistent/c.tsv");
}

/* By itself, when enough have come; and only as a proposal, as this installation wants it. */
static void test_by_itself(void **state)
{
	(void)state;
	char before[128], name[80] = "";
	ask_intent(LEAVES, before);
	correct_leavers(25);
	for (int i = 0; i < 200 && !strstr(said, "proposed"); i++) {
		usleep(100000);
		EXPECT(0, said, "intent models");
	}
	says(said, "proposed: better: right on ");
	assert_string_not_equal(ask_intent(LEAVES, NULL), "cancel");
	const char *at = strstr(said, "proposed");
	while (at > said && at[-1] != '\n')
		at--;
	sscanf(strstr(at, "intent-"), "%79[a-z0-9-]", name);
	EXPECT(0, said, "intent promote %s --by anna", name);
	assert_string_equal(ask_intent(LEAVES, NULL), "cancel");
	EXPECT(0, said, "intent models intent");
	says(said, "by anna");
}

static int setup_by_itself(void **state)
{
	more_settings = "  retrain_after: 20\n  propose_only: true\n";
	return setup(state);
}

/* Without what it needs a retraining says so, and the service goes on. */
static void test_what_is_missing(void **state)
{
	(void)state;
	correct_leavers(5);
	EXPECT(1, said, "intent retrain intent");
	says(said, "there are 5 corrections of intent since its model was trained; 10 are needed");
	EXPECT(1, said, "intent retrain sentiment");
	says(said, "no model of sentiment runs");
	correct_leavers(12);
	unlink(file_of("models/data/test.tsv"));
	assert_int_equal(rename(file_of("models/data/train.tsv"), file_of("models/data/rows.tsv")), 0);
	EXPECT(1, said, "intent retrain intent");
	says(said, "holds no train*.tsv");
	FILE *f = fopen(file_of("models/data/train.tsv"), "w");
	fputs("nonsense\n", f);
	fclose(f);
	EXPECT(1, said, "intent retrain intent --wait");
	says(said, "failed");
	says(said, "train.tsv:1: the header line has no column \"text\"");
	assert_string_equal(ask_intent("il modem rotto e' spento", NULL), "report_fault");
	EXPECT(2, said, "intent retrain");
}

/* Messages per second, all of them there. */
static double rate(int first)
{
	size_t before = peer_received(escalation);
	int64_t begun = now_ms();
	for (int i = 0; i < LOAD; i++)
		send_text(first + i, "il modem rotto e' spento");
	Ascolto__Envelope *e = peer_wait_received(escalation, before + LOAD - 1, 60000);
	assert_non_null(e);
	ascolto__envelope__free_unpacked(e, NULL);
	return LOAD * 1000.0 / (double)MAX(1, now_ms() - begun);
}

static bool is_retraining(void)
{
	EXPECT(0, said, "intent models intent");
	return strstr(said, "it is being retrained") != NULL;
}

/* The service goes on at its own speed; the job takes what is left over. */
static void test_beside(void **state)
{
	(void)state;
	write_rows("models/data/train.tsv", 0, 12000, false);
	correct_leavers(40);
	double alone = rate(0);
	EXPECT(0, said, "intent retrain intent");
	assert_true(is_retraining());
	EXPECT(1, said, "intent retrain intent");
	says(said, "intent is being retrained");
	double beside = rate(LOAD);
	bool still = is_retraining();
	print_message("messages per second: alone %.0f, beside a retraining%s %.0f\n", alone, still ? "" : " that ended", beside);
	assert_true(beside > 1000);

	/* Ended in the middle, it leaves nothing behind but what was asked for. */
	assert_int_equal(program_stop(&intent, SIGTERM), 0);
	start_intent();
	assert_false(is_retraining());
	assert_string_equal(ask_intent("il modem rotto e' spento", NULL), "report_fault");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_learns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_poison_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_export, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_beside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_by_itself, setup_by_itself, teardown),
	};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
