/*
 * mail.h - a notification as a mail (RFC 5322, 2045, 2047, 3834).
 *
 * Plain text in UTF-8, quoted-printable; subject in encoded words where it is not plain ASCII. The Message-ID
 * is derived from the order's id alone, so a mail that is sent twice because nobody knows whether it arrived
 * is the same mail to the mailbox and to people's programs. Mails of one incident refer to one thread id and
 * are shown together.
 *
 * No text of a customer's can add a header: control characters of the subject become spaces, addresses with
 * anything odd in them are refused. Invalid UTF-8 becomes U+FFFD.
 */
#ifndef ASCOLTO_NOTIFICATION_MAIL_H
#define ASCOLTO_NOTIFICATION_MAIL_H

#include "common/base.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/id.h"

#define MAIL_SUBJECT_MAX 300 /* bytes; longer ones are cut at a character */
#define MAIL_BYTES_MAX ((size_t)1024 * 1024)

struct mail {
	const char *from;	    /* bare addresses */
	const char *const *to;	    /* ends with NULL, at least one */
	const char *subject, *text; /* UTF-8 */
	const char *brand;
	struct id order;
	struct id incident; /* zero = none */
	int64_t at_ms;
};

/* -EINVAL: an address; -EMSGSIZE: `out` is full. Line ends are CRLF. */
int mail_compose(struct buf *out, const struct mail *m, struct err *e);

#endif
