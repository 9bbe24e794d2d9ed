#include "snapshot/replicate/transport_internal.h"

#include <unistd.h>

int
transport_connect(const char *address, const struct transport_plan *plan,
    struct transport *out, struct err *err)
{
	int rc = transport_check(address, err);

	*out = (struct transport){.fd = -1};
	if (rc != 0)
		return rc;
	if (transport_starts(address, "tls://"))
		return transport_connect_tcp(
		    address + 6, plan->connect_ms, out, err);
	if (transport_starts(address, "ssh://"))
		return transport_spawn_ssh(address + 6, plan, out, err);
	return transport_spawn_local(address, plan, out, err);
}

void
transport_close(struct transport *t)
{
	if (t->fd >= 0)
		(void)close(t->fd);
	t->fd = -1;
	transport_end_pump(t->pump);
	t->pump = NULL;
	if (t->child > 0)
		t->status = transport_wait_child(t->child);
	t->child = 0;
}
