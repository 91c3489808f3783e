#include "services/enrichment/enrichment.h"

int main(int argc, char **argv)
{
	return svc_main(&enrichment_spec, argc, argv);
}
