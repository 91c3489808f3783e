#include "services/ingest/spec.h"

int main(int argc, char **argv)
{
	return svc_main(&ingest_spec, argc, argv);
}
