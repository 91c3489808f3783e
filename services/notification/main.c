#include "services/notification/notification.h"

int main(int argc, char **argv)
{
	return svc_main(&notification_spec, argc, argv);
}
