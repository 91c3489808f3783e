/*
 * notification_world.h - the program ascolto-notification as a process, its mailboxes and web servers, and
 * what the cases of test_notification.c say to them and wait for.
 */
#ifndef ASCOLTO_TESTS_NOTIFICATION_WORLD_H
#define ASCOLTO_TESTS_NOTIFICATION_WORLD_H

#include "tests/unit/check.h"

#include "common/buf.h"
#include "tests/component/notification_peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM BINARY_DIR "/bin/ascolto-notification"
#define SECRET "correct horse battery staple"
#define PYTHON "/usr/bin/python3"
#define WEBHOOK "/usr/bin/webhook"

enum { LINK_HERE, LINK_THERE, HTTP_THERE, HOOK, MAIL, MAIL_LATE, DEAD, DEBIAN_WEBHOOK, PORTS };

static struct world {
	struct peer peer;
	char folder[64];
	int port[PORTS];
	pid_t program, mailbox, late, webhook;
	int mailbox_in, late_in; /* closing it ends the mailbox */
	bool have_mailbox, have_webhook;
} w;

/* ------------------------------------------------------------------------------------------------ processes,
 * files */

static int free_port(void)
{
	static int next;
	next = next ? next : 15000 + getpid() % 1500 * 10;
	for (int tries = 0; tries < 2000; tries++) {
		struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
		next = next < 31000 ? next + 1 : 15000;
		a.sin_port = htons((uint16_t)next);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		int r = bind(fd, (struct sockaddr *)&a, sizeof(a));
		close(fd);
		if (r == 0)
			return next;
	}
	abort();
}

PRINTF(1, 2)
static const char *path(const char *fmt, ...)
{
	static char ring[8][300];
	static unsigned n;
	char *out = ring[n++ % 8];
	va_list ap;
	int len = snprintf(out, sizeof(ring[0]), "%s/", w.folder);
	va_start(ap, fmt);
	vsnprintf(out + len, sizeof(ring[0]) - (size_t)len, fmt, ap);
	va_end(ap);
	return out;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		fail_msg("%s: %s", name, strerror(errno));
	close(fd);
}

/* Freed by the next call. "" when there is no such file. */
static const char *read_file(const char *name)
{
	static struct buf b;
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;
	buf_free(&b);
	buf_init(&b, 1 << 20);
	while (fd >= 0 && n > 0) {
		uint8_t *room = buf_room(&b, 4096);
		n = room ? read(fd, room, 4096) : 0;
		b.len += n > 0 ? (size_t)n : 0;
	}
	buf_add(&b, "", 0);
	if (fd >= 0)
		close(fd);
	if (b.data)
		b.data[b.len] = 0;
	return buf_str(&b);
}

/* *ret_in: the writing end of its standard input, or NULL. */
static pid_t spawn(char *const argv[], int *ret_in)
{
	int pipes[2] = {-1, -1};
	if (ret_in && pipe2(pipes, O_CLOEXEC))
		abort();
	pid_t pid = fork();
	if (pid == 0) {
		if (ret_in)
			dup2(pipes[0], 0);
		int log = open(path("log"), O_WRONLY | O_CREAT | O_APPEND, 0600);
		dup2(log, 1);
		dup2(log, 2);
		execv(argv[0], argv);
		_exit(127);
	}
	if (ret_in) {
		close(pipes[0]);
		*ret_in = pipes[1];
	}
	return pid;
}

static int end(pid_t *pid, int signal)
{
	int status = 0;
	if (*pid > 0) {
		kill(*pid, signal);
		waitpid(*pid, &status, 0);
	}
	*pid = 0;
	return status;
}

static void start_program(void)
{
	char *const argv[] = {(char *)(uintptr_t)PROGRAM, (char *)(uintptr_t) "-c",
		(char *)(uintptr_t)path("conf.yaml"), NULL};
	w.program = spawn(argv, NULL);
}

static pid_t start_mailbox(int port, const char *folder, int *ret_in)
{
	char number[16];
	char *const argv[] = {(char *)(uintptr_t)PYTHON,
		(char *)(uintptr_t)SOURCE_DIR "/tests/component/notification_mailbox.py", number,
		(char *)(uintptr_t)folder, NULL};
	snprintf(number, sizeof(number), "%d", port);
	return spawn(argv, ret_in);
}

static void start_webhook(void)
{
	char port[16];
	char *const argv[] = {(char *)(uintptr_t)WEBHOOK, (char *)(uintptr_t) "-hooks",
		(char *)(uintptr_t)path("hooks.json"), (char *)(uintptr_t) "-ip",
		(char *)(uintptr_t) "127.0.0.1", (char *)(uintptr_t) "-port", port,
		(char *)(uintptr_t) "-verbose", NULL};
	snprintf(port, sizeof(port), "%d", w.port[DEBIAN_WEBHOOK]);
	w.webhook = spawn(argv, NULL);
}

static bool have_aiosmtpd(void)
{
	char *const argv[] = {(char *)(uintptr_t)PYTHON, (char *)(uintptr_t) "-c",
		(char *)(uintptr_t) "import aiosmtpd", NULL};
	int status = 0;
	pid_t pid = spawn(argv, NULL);
	waitpid(pid, &status, 0);
	return status == 0;
}

static bool answers(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)},
		.sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
	close(fd);
	return yes;
}

/* ------------------------------------------------------------------------------------------------ waiting */

static void run_ms(int64_t ms)
{
	for (int64_t until = wall_ms() + ms; wall_ms() < until;)
		uv_run(&w.peer.loop, UV_RUN_ONCE); /* the ticker wakes it */
}

static const char *log_end(void)
{
	const char *log = read_file(path("log"));
	size_t len = strlen(log);
	return len > 2000 ? log + len - 2000 : log;
}

#define WAIT_FOR(condition, seconds)                                                                         \
	do {                                                                                                 \
		int64_t until_ = wall_ms() + (seconds)*INT64_C(1000);                                        \
		while (!(condition) && wall_ms() < until_)                                                   \
			run_ms(20);                                                                          \
		if (!(condition)) {                                                                          \
			print_error("%s\n", log_end());                                                      \
			fail_msg("waited %d s for " #condition, (seconds));                                  \
		}                                                                                            \
	} while (0)

/* The n-th outcome of that order, or NULL. */
static const Ascolto__Outcome *outcome(const struct id *order, unsigned n)
{
	for (size_t i = 0; i < w.peer.n_outcomes; i++) {
		const Ascolto__Outcome *o = w.peer.outcome[i]->outcome;
		if (memcmp(o->order_id.data, order->b, ID_BYTES) == 0 && n-- == 0)
			return o;
	}
	return NULL;
}

static const Ascolto__Outcome *wait_outcome(
	const struct id *order, unsigned n, Ascolto__DeliveryResult expected, int seconds)
{
	WAIT_FOR(outcome(order, n), seconds);
	const Ascolto__Outcome *o = outcome(order, n);
	if (o->result != expected)
		fail_msg("outcome %u is %d (%s), not %d", n, o->result, o->detail, expected);
	return o;
}

#define RESULT(word) ASCOLTO__DELIVERY_RESULT__DELIVERY_##word

/* ------------------------------------------------------------------------------------------------ orders */

static struct id order_in_time(const char *destination, const char *name, int64_t not_after_ms)
{
	struct id id = id_from(wall_ms(), span_str(name)), incident = id_from(1, span_str("incident"));
	Ascolto__Order o = ASCOLTO__ORDER__INIT;
	Ascolto__Incident i = ASCOLTO__INCIDENT__INIT;
	char subject[200];
	snprintf(subject, sizeof(subject), "Perch\xc3\xa9 \xf0\x9f\x94\xa5 %s", name);
	i.title = (char *)(uintptr_t) "Blackout";
	i.people = 214;
	o.id = (ProtobufCBinaryData){ID_BYTES, id.b};
	o.brand = (char *)(uintptr_t) "brezza";
	o.destination = (char *)(uintptr_t)destination;
	o.template_ = (char *)(uintptr_t) "incident_opened";
	o.subject = subject;
	o.text = (char *)(uintptr_t) "214 persone, un solo guasto: \xc3\xa8 un incidente.\n.\nFine";
	o.code = ASCOLTO__CODE__CODE_RED;
	o.incident_id = (ProtobufCBinaryData){ID_BYTES, incident.b};
	o.arrived_ms = wall_ms();
	o.not_after_ms = not_after_ms;
	o.incident = &i;
	peer_order(&w.peer, &o);
	if (str_eq(name, "twice"))
		peer_order(&w.peer, &o);
	return id;
}

static struct id order(const char *destination, const char *name)
{
	return order_in_time(destination, name, 0);
}

/* How often that order is in a mailbox's index. */
static unsigned mails_of(const char *index, const struct id *id)
{
	char needle[64], text[ID_TEXT + 1];
	unsigned n = 0;
	snprintf(needle, sizeof(needle), "\"message_id\": \"<%s@brezza.example>\"", id_format(id, text));
	for (const char *at = read_file(index); (at = strstr(at, needle)); at++)
		n++;
	return n;
}

/* GET from the program itself, by hand. */
static const char *get(const char *what)
{
	static char answer[1 << 18];
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)},
		.sin_port = htons((uint16_t)w.port[HTTP_THERE])};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t n = 0;
	ssize_t got;
	answer[0] = 0;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0) {
		dprintf(fd, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", what);
		while (n + 1 < sizeof(answer) && (got = read(fd, answer + n, sizeof(answer) - 1 - n)) > 0)
			n += (size_t)got;
		answer[n] = 0;
	}
	close(fd);
	return answer;
}

#endif
