/* The report of a drill. */
#include "services/ascolto/drill_run.h"

static const char *verdict_word(bool right)
{
	return right ? "right" : "WRONG";
}

void drill_print_text(const struct drill *d, const struct drill_score *score)
{
	char at[SHORT_MAX];
	const char *about = NULL;
	json_t *told;
	size_t k;
	printf("%s: %s\n", DRILL_WORDS, d->scenario->title);
	printf("drill %s, by %s, begun %s; %zu of %zu posts played; playbook %s\n", d->brand, d->actor,
		short_time(d->began_ms, at), d->scenario->sent, d->scenario->n, d->playbook->label);
	for (size_t i = 0; i < score->n; i++) {
		const struct drill_point *p = &score->points[i];
		if (!about || !str_eq(about, p->about))
			printf("\n%s\n", p->about[0] ? p->about : "the whole");
		about = p->about;
		printf("  %s  ", verdict_word(p->right));
		show_text(stdout, p->words, 9);
		putchar('\n');
	}
	printf("\ntold\n");
	json_array_foreach(d->told, k, told)
	{
		printf("  %-9s %s: ", member_text(told, "result"), member_text(told, "destination"));
		show_text(stdout, member_text(told, "subject"), 12);
		putchar('\n');
	}
	if (!json_array_size(d->told))
		printf("  nobody was told of an incident\n");
	printf("\nscore: %zu of %zu\n", score->right, score->n);
}

void drill_print_json(const struct drill *d, const struct drill_score *score)
{
	json_t *points = json_array();
	for (size_t i = 0; i < score->n; i++)
		json_array_append_new(
			points, json_pack("{s:s, s:s, s:b, s:s}", "about", score->points[i].about, "what",
					score->points[i].what, "right", score->points[i].right, "words",
					score->points[i].words));
	show_json(stdout,
		json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:I, s:I, s:o, s:O}", "drill", d->brand,
			"scenario", d->scenario->title, "by", d->actor, "began_ms", (json_int_t)d->began_ms,
			"posts", (json_int_t)d->scenario->n, "sent", (json_int_t)d->scenario->sent,
			"playbook", d->playbook->label, "right", (json_int_t)score->right, "of",
			(json_int_t)score->n, "points", points, "told", d->told));
}
