#include "services/console/spec.h"

int main(int argc, char **argv)
{
	return svc_main(&console_spec, argc, argv);
}
