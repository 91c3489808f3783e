/*
 * private_data.h - what belongs to one person and is not said where others read: found in a text. Pure.
 *
 *	card       13 to 19 digits in groups, of a range that card schemes give out, whose check digit is right
 *	           (Luhn; ISO/IEC 7812-1, annex B)
 *	iban       two letters, two check digits, 11 to 30 more, in groups or not, with the right remainder
 *	           (ISO 13616; modulo 97 of ISO 7064)
 *	tax_code   the Italian codice fiscale with its check letter, also with the letters that stand for digits where two
 *	           people would have the same (D.M. 23 December 1976, D.P.R. 605/1973)
 *	phone      with + or 00 and 8 to 15 digits (E.164), an Italian mobile (3, nine or ten digits), or a landline (0,
 *	           nine to eleven); numbers that cost nothing or something more (800, 199, 892) are nobody's own
 *	mail       an address
 *
 * Dates, times, amounts, and numbers inside words are none of these. Letters may be small.
 */
#ifndef ASCOLTO_PRIVATE_DATA_H
#define ASCOLTO_PRIVATE_DATA_H

#include "common/base.h"

enum private_kind { PRIVATE_CARD, PRIVATE_IBAN, PRIVATE_TAX_CODE, PRIVATE_PHONE, PRIVATE_MAIL, PRIVATE_KINDS };

struct private_data {
	enum private_kind kind;
	struct span where; /* within the text */
};

/* The first at or after `from` (a byte offset); false: there is none. Goes on after where.data + where.len. */
bool private_data_find(struct span text, size_t from, struct private_data *ret);

/* Whether it is this number or address, however either is written: "+39 800 123456" is "800 123 456", and
 * "help@acme.example" is "@acme.example". */
bool private_data_is(const struct private_data *p, const char *known);

#endif
