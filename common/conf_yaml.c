#include "conf_yaml.h"
#include "conf_internal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Keeps libcyaml's first complaint. It has none left after check_value, or nearly none. */
static void keep_complaint(cyaml_log_t level, void *ctx, const char *fmt, va_list ap)
{
	char *words = ctx;
	if (level < CYAML_LOG_WARNING || words[0])
		return;
	vsnprintf(words, ERR_TEXT_MAX, fmt, ap);
	words[strcspn(words, "\n")] = 0;
}

static cyaml_config_t yaml_config(char *words)
{
	return (cyaml_config_t){.log_fn = words ? keep_complaint : NULL,
		.log_ctx = words,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_WARNING,
		.flags = CYAML_CFG_NO_ALIAS};
}

int yaml_read(struct yaml *y, const char *name, struct span text, const cyaml_schema_value_t *schema,
	void **ret, struct err *e)
{
	int r = yaml_open(y, name, text, e);
	if (r < 0)
		return r;
	r = yaml_check(y, schema, e);
	if (r < 0)
		return r;
	char words[ERR_TEXT_MAX] = "";
	cyaml_config_t config = yaml_config(words);
	void *data = NULL;
	cyaml_err_t failed = cyaml_load_data(text.data, text.len, &config, schema, &data, NULL);
	if (failed == CYAML_ERR_OOM)
		return err_set(e, -ENOMEM, "%s: out of memory", name);
	if (failed || !data) {
		const char *said = strncmp(words, "Load: ", 6) == 0 ? words + 6 : words;
		return yaml_error(y, yaml_document_get_root_node(&y->doc)->start_mark, e, "%s",
			said[0] ? said : cyaml_strerror(failed));
	}
	*ret = data;
	return 0;
}

int conf_yaml_parse(
	const char *name, struct span text, const cyaml_schema_value_t *schema, void **ret, struct err *e)
{
	struct yaml y = {0};
	int r = yaml_read(&y, name, text, schema, ret, e);
	yaml_close(&y);
	return r;
}

int conf_read_file(const char *path, size_t max, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	if (fd < 0)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	int r = 0;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		r = err_set(e, -EINVAL, "%s: this is not a file", path);
	} else {
		buf_init(out, max);
		uint8_t part[16384];
		ssize_t n;
		while (!r && (n = read(fd, part, sizeof(part))) != 0) {
			if (n < 0)
				r = err_set(e, -errno, "%s: %s", path, strerror(errno));
			else if ((r = buf_add(out, part, (size_t)n)) < 0)
				r = err_set(e, r == -EMSGSIZE ? -EINVAL : r, "%s: %s", path,
					r == -EMSGSIZE ? "the file is larger than 1 MiB" : "out of memory");
		}
		explicit_bzero(part, sizeof(part));
		if (r < 0)
			buf_free(out);
	}
	close(fd);
	return r;
}

int conf_yaml_load(const char *path, const cyaml_schema_value_t *schema, void **ret, struct err *e)
{
	struct buf text;
	int r = conf_read_file(path, CONF_YAML_MAX, &text, e);
	if (r < 0)
		return r;
	r = conf_yaml_parse(path, buf_span(&text), schema, ret, e);
	buf_free(&text);
	return r;
}

void conf_yaml_free(const cyaml_schema_value_t *schema, void **data)
{
	cyaml_config_t config = yaml_config(NULL);
	cyaml_free(&config, schema, *data, 0);
	*data = NULL;
}

int conf_yaml_error(const char *path, const char *key_path, struct err *e, const char *fmt, ...)
{
	struct yaml y = {.name = path};
	struct buf text = {0};
	yaml_mark_t at = {0};
	if (conf_read_file(path, CONF_YAML_MAX, &text, NULL) == 0 &&
		yaml_open(&y, path, buf_span(&text), NULL) == 0)
		at = yaml_place(&y, key_path, NULL);
	va_list ap;
	va_start(ap, fmt);
	yaml_verror(&y, at, e, fmt, ap);
	va_end(ap);
	yaml_close(&y);
	buf_free(&text);
	return -EINVAL;
}
