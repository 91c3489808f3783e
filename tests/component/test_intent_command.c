/* `ascolto intent` with what people mistype: each mistake has its sentence, and nothing is done. */
#include "tests/component/intent_stage.h"

static char said[16384];

static int setup_files(void **state)
{
	(void)state;
	installation_open(&site, NULL);
	write_rows("rows.tsv", 0, 240, false);
	train_file("rows.tsv", "intent", "intent.model");
	FILE *f = fopen(file_of("one.tsv"), "w");
	fputs("text\tintent\nciao\tother\n", f);
	fclose(f);
	return 0;
}

static int teardown_files(void **state)
{
	(void)state;
	installation_close(&site);
	return 0;
}

static void test_mistakes(void **state)
{
	(void)state;
	static const struct {
		const char *arguments; /* @ is the folder */
		int status;
		const char *words;
	} rows[] = {
		{"intent", 2, "intent train"},
		{"intent frobnicate", 2, "there is no command \"intent frobnicate\""},
		{"intent train", 2, "train needs --task TASK, --data FILE.tsv and --out MODEL"},
		{"intent train --task intnt --data @/rows.tsv --out @/x.model", 1, "did you mean \"intent\"?"},
		{"intent train --task intent --data @/rows.tsv @/one.tsv --out @/x.model", 2, "which option does this belong to?"},
		{"intent train --task intent --data @/rows.tsv --out @/no/x.model", 1, "x.model can not be written: No such"},
		{"intent train --task intent --data @/rows.tsv --out @/x.model --c much", 2, "not a number this option can have"},
		{"intent train --task intent --data @/rows.tsv --out @/x.model --see 3", 2, "--see: not an option"},
		{"intent train --task intent --data @/one.tsv --out @/x.model", 1, "two labels are needed"},
		{"intent train --task intent --data @/nothing.tsv --out @/x.model", 1, "No such file"},
		{"intent eval --model @/rows.tsv --test @/rows.tsv", 1, "not a model of Ascolto"},
		{"intent eval @/intent.model", 2, "which option does this belong to?"},
		{"intent explain", 2, "explain needs the text, in quotation marks"},
		{"intent explain --models @ ' '", 0, "there is nothing to read in it"},
		{"intent explain --models @ --surface open ciao", 2, "it is public or private"},
		{"intent explain --models @ --task lane ciao", 1, "there is no model for \"lane\""},
		{"intent explain --models @/no ciao", 1, "no such folder of models"},
		{"intent explain --models @ --model @/intent.model modem", 0, "for report_fault and against praise"},
		{"intent explain --models @ modem", 0, "as a public message\n\nlanguage "},
		{"-o json intent explain --models @ modem", 0, "{\"explanation\":\"models of"},
		{"intent data-check", 2, "data-check needs one FILE.tsv or more"},
		{"intent data-check @/one.tsv", 0, "1 rows with 1 labels make no model of intent"},
		{"intent data-check @/ascolto.yaml", 1, "no column \"text\""},
		{"intent learn --task intent --data @/rows.tsv --corrections @/one.tsv --against @/intent.model --out @/x.model", 1,
			"there are 1 new corrections of intent, 1 without copies; 10 are needed"},
		{"intent learn --task mood --data @/rows.tsv --corrections @/one.tsv --against @/intent.model --out @/x.model", 2,
			"one of the product's"},
		{"intent models mood", 1, "no such folder"},
		{"intent models @", 0, "intent-"},
		{"intent models", 1, "intent does not answer at 127.0.0.1:"},
		{"intent retrain mood", 2, "retrain needs a task: language, intent"},
		{"intent promote @/rows.tsv", 1, "intent does not answer at 127.0.0.1:"},
		{"intent corrections --task mood --out -", 2, "there is no task \"mood\""},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char arguments[1024];
		size_t n = 0;
		for (const char *p = rows[i].arguments; *p; p++)
			n += (size_t)snprintf(arguments + n, sizeof(arguments) - n, "%.*s", *p == '@' ? 64 : 1,
				*p == '@' ? site.folder : p);
		EXPECT(rows[i].status, said, "%s", arguments);
		says(said, rows[i].words);
	}
	assert_int_equal(access(file_of("x.model"), F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_mistakes, setup_files, teardown_files)};
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
