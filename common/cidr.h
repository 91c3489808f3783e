/*
 * cidr.h - networks such as 10.0.0.0/8, and which addresses outgoing calls may reach.
 *
 * Addresses are bytes in network order: 4 of AF_INET, 16 of AF_INET6. An address of one family is never in a network of
 * the other, so ::ffff:10.0.0.1 is not in 10.0.0.0/8; it is not public either.
 */
#ifndef ASCOLTO_CIDR_H
#define ASCOLTO_CIDR_H

#include "base.h"

struct cidr {
	int family; /* AF_INET or AF_INET6 */
	uint8_t address[16];
	unsigned bits;
};

/* An address, a slash and a number of bits; an address alone means just that one. -EINVAL. */
int cidr_parse(const char *text, struct cidr *ret);

bool cidr_holds(const struct cidr *c, int family, const uint8_t *address);

/* Out in the world: in none of the networks of IANA's special-purpose registries (RFC 6890 and later entries: private,
 * loopback, link-local, multicast, documentation, mapped, ...). */
bool address_is_public(int family, const uint8_t *address);

/* Public, or in one of the networks. */
bool address_allowed(const struct cidr *allow, size_t n, int family, const uint8_t *address);

#endif
