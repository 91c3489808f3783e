#include "services/escalation/escalation.h"

int main(int argc, char **argv)
{
	return svc_main(&escalation_spec, argc, argv);
}
