#include "tests/bench/parts/place.h"

#include "tests/bench/parts/parts.h"

void
place_new(struct place *p)
{
	AUTO(recovery) struct recovery *recovery = NULL;

	scratch_new(p->dir);
	(void)snprintf(p->path, sizeof(p->path), "%s/store", p->dir);
	must(access_init(
	    p->path, "bench", "bench", &p->access, &recovery, &err));
	must(access_create_dataset(p->access, "bench", &p->ds, &err));
	p->store = access_store(p->access);
}

void
place_clear(struct place *p)
{
	access_close(p->access);
	scratch_rm(p->dir);
}
