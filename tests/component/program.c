#include "tests/component/program.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const services[] = {
	"ingest", "enrichment", "intent", "escalation", "notification", "console"};

/* ---- the installation ---- */

static bool port_is_free(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	bool is_free = bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
	close(fd);
	return is_free;
}

/* Tests run side by side: where to look begins with the process. */
static int free_ports(int n)
{
	int first = 12000 + (int)(getpid() % 600) * 30;
	for (int tries = 0; tries < 200; tries++, first = 12000 + (first - 12000 + 30) % 18000) {
		int i = 0;
		while (i < n && port_is_free(first + i))
			i++;
		if (i == n)
			return first;
	}
	return first;
}

int installation_port(const struct installation *in, const char *service, enum installation_address which)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if (str_eq(services[i], service))
			return in->port + (int)i * 3 + (int)which;
	return 0;
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	if (!f)
		return;
	fputs(text, f);
	fclose(f);
}

void installation_open(struct installation *in, const char *more)
{
	char text[8192];
	size_t n = 0;
	snprintf(in->folder, sizeof(in->folder), "/tmp/ascolto-test-XXXXXX");
	if (!mkdtemp(in->folder))
		abort();
	in->port = free_ports(3 * (int)ARRAY_SIZE(services));
	n += (size_t)snprintf(text, sizeof(text), "data: state\nunsafe_fs: true\nservices:\n");
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		int port = in->port + 3 * (int)i;
		bool listens = i == 0 || i + 1 == ARRAY_SIZE(services);
		n += (size_t)snprintf(text + n, sizeof(text) - n,
			"  %s:\n    link: tcp://127.0.0.1:%d\n"
			"    http: 127.0.0.1:%d\n",
			services[i], port, port + 1);
		if (listens)
			n += (size_t)snprintf(
				text + n, sizeof(text) - n, "    listen: 127.0.0.1:%d\n", port + 2);
	}
	snprintf(text + n, sizeof(text) - n,
		"brands:\n  - name: brezza\n    title: Brezza\n    playbook: playbook.yaml\n    language: "
		"it\n%s",
		more ? more : "");
	write_file(in->folder, "ascolto.yaml", text);
	write_file(in->folder, "playbook.yaml", "name: brezza\n");
	snprintf(in->config, sizeof(in->config), "%s/ascolto.yaml", in->folder);
}

void installation_close(struct installation *in)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -rf '%s'", in->folder);
	if (system(command))
		fprintf(stderr, "%s could not be removed\n", in->folder);
}

/* ---- the program ---- */

static bool is_ready(int port)
{
	struct reply r = talk(port, "GET", "/readyz", NULL, NULL);
	bool ready = r.status == 200;
	reply_free(&r);
	return ready;
}

pid_t program_start(const struct installation *in, const char *service)
{
	char path[512];
	snprintf(path, sizeof(path), BINARY_DIR "/bin/ascolto-%s", service);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* not left behind when the test is killed */
		execl(path, path, "-c", in->config, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 1000; i++) {
		if (is_ready(installation_port(in, service, ADDRESS_HTTP)))
			return pid;
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return 0;
		usleep(10000);
	}
	program_stop(&pid, SIGKILL);
	return 0;
}

int program_stop(pid_t *pid, int signal_number)
{
	int status = 0;
	if (*pid <= 0)
		return 0;
	kill(*pid, signal_number);
	waitpid(*pid, &status, 0);
	*pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- HTTP ---- */

int dial(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct timeval limit = {.tv_sec = 20};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void split(struct reply *r, char *text)
{
	char *body = strstr(text, "\r\n\r\n");
	if (!body || sscanf(text, "HTTP/1.1 %d", &r->status) != 1) {
		free(text);
		return;
	}
	*body = 0;
	r->head = text;
	r->body = body + 4;
}

struct reply talk(int port, const char *method, const char *path, const char *head, const char *body)
{
	struct reply r = {0};
	size_t len = 0, room = (size_t)4 * 1024 * 1024;
	int fd = dial(port);
	if (fd < 0)
		return r;
	dprintf(fd, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n%s", method, path, port,
		head ? head : "");
	if (body)
		dprintf(fd, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
	else
		dprintf(fd, "\r\n");
	char *text = malloc(room + 1);
	ssize_t n;
	while (len < room && (n = recv(fd, text + len, room - len, 0)) > 0)
		len += (size_t)n;
	text[len] = 0;
	close(fd);
	split(&r, text);
	return r;
}

void reply_free(struct reply *r)
{
	free(r->head);
	*r = (struct reply){0};
}
