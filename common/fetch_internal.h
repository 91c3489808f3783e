/*
 * fetch_internal.h - what fetch.c (the loop, threads for mail, the end of calls) and fetch_call.c (a request made into what curl takes)
 * share.
 */
#ifndef ASCOLTO_FETCH_INTERNAL_H
#define ASCOLTO_FETCH_INTERNAL_H

#include "buf.h"
#include "cidr.h"
#include "fetch.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdatomic.h>

#define FETCH_HEADERS_MAX ((size_t)64 * 1024)
#define FETCH_CIDRS_MAX 64

struct fetch {
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer;
	struct cidr allow[FETCH_CIDRS_MAX];
	size_t n_allow;
	struct fetch_call *calls;
	size_t running;
	unsigned users; /* the loop's timer and mails in threads: the last one frees */
	bool closing;
};

struct fetch_call {
	struct fetch *fetch;
	struct fetch_call *next, **at;
	CURL *easy;
	fetch_done_fn *done;
	void *ctx;
	bool smtp;
	uv_work_t work;      /* SMTP */
	CURLcode code;
	atomic_bool abandoned; /* fetch_close went on without it */
	struct curl_slist *headers, *rcpt;
	struct buf upload; /* SMTP: the mail, what curl has taken is before `taken` */
	size_t taken;
	struct buf body;
	size_t header_bytes;
	bool too_long;
	char refused[INET6_ADDRSTRLEN];
	char error[CURL_ERROR_SIZE];
};

/* A call that is ready to be given to curl. -EINVAL: the request is not in order. */
int fetch_call_new(struct fetch_call **ret, struct fetch *f, const struct fetch_request *request, struct err *e);
void fetch_call_free(struct fetch_call *c);

#endif
