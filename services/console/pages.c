/* The page: files of page/, embedded at build time. */
#include "services/console/console.h"

void get_page(struct http_request *r, void *ctx)
{
	(void)ctx;
	const char *name = http_path_rest(r);
	if (!request_is_ours(r))
		return;
	if (!name[0])
		name = "index.html";
	for (const struct page_file *f = page_files; f->name; f++)
		if (str_eq(f->name, name)) {
			http_reply_header(r, "Cache-Control", "no-cache");
			http_reply(r, 200, f->type, span_of(f->data, f->len));
			return;
		}
	http_reply_error(r, 404, "there is nothing at this path");
}
