#include "cidr.h"

#include <arpa/inet.h>

int cidr_parse(const char *text, struct cidr *ret)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	if (len >= sizeof(address))
		return -EINVAL;
	snprintf(address, sizeof(address), "%.*s", (int)len, text);
	struct cidr c = {.family = strchr(address, ':') ? AF_INET6 : AF_INET};
	unsigned max = c.family == AF_INET6 ? 128 : 32;
	if (inet_pton(c.family, address, c.address) != 1)
		return -EINVAL;
	c.bits = max;
	if (slash) {
		size_t digits = strspn(slash + 1, "0123456789");
		unsigned long bits = strtoul(slash + 1, NULL, 10);
		if (digits < 1 || digits > 3 || slash[1 + digits] || bits > max)
			return -EINVAL;
		c.bits = (unsigned)bits;
	}
	*ret = c;
	return 0;
}

bool cidr_holds(const struct cidr *c, int family, const uint8_t *address)
{
	if (c->family != family || memcmp(c->address, address, c->bits / 8) != 0)
		return false;
	unsigned rest = c->bits % 8;
	return !rest || ((c->address[c->bits / 8] ^ address[c->bits / 8]) >> (8 - rest)) == 0;
}

/* Each family's, in the order of the registries. */
static const char *const not_public[] = {
	"0.0.0.0/8",
	"10.0.0.0/8",
	"100.64.0.0/10",
	"127.0.0.0/8",
	"169.254.0.0/16",
	"172.16.0.0/12",
	"192.0.0.0/24",
	"192.0.2.0/24",
	"192.88.99.0/24",
	"192.168.0.0/16",
	"198.18.0.0/15",
	"198.51.100.0/24",
	"203.0.113.0/24",
	"224.0.0.0/4",
	"240.0.0.0/4",
	/* unspecified, loopback and IPv4-compatible; mapped; NAT64 */
	"::/96",
	"::ffff:0:0/96",
	"::ffff:0:0:0/96",
	"64:ff9b::/96",
	"64:ff9b:1::/48",
	/* discard; Teredo and other IETF use; documentation; 6to4; ULA; link-local; site-local; multicast */
	"100::/64",
	"2001::/23",
	"2001:db8::/32",
	"2002::/16",
	"fc00::/7",
	"fe80::/10",
	"fec0::/10",
	"ff00::/8",
};

bool address_is_public(int family, const uint8_t *address)
{
	for (size_t i = 0; i < ARRAY_SIZE(not_public); i++) {
		struct cidr c;
		if (cidr_parse(not_public[i], &c) || cidr_holds(&c, family, address))
			return false;
	}
	return true;
}

bool address_allowed(const struct cidr *allow, size_t n, int family, const uint8_t *address)
{
	for (size_t i = 0; i < n; i++)
		if (cidr_holds(&allow[i], family, address))
			return true;
	return address_is_public(family, address);
}
