#include "services/intent/intent.h"

int main(int argc, char **argv)
{
	return svc_main(&intent_spec, argc, argv);
}
