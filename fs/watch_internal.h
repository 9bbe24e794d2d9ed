#ifndef FS_WATCH_INTERNAL_H
#define FS_WATCH_INTERNAL_H

/*
 * Private to the watch: what its files share.
 *
 *	watch.c      the datasets
 *	watch_log.c  the log of each
 */
#include "fs/watch.h"

/* How often the store is asked for news, when somebody looks. */
#define NEWS_MS 1000

struct watch {
	struct watch_options opt;

	pthread_rwlock_t lock; /* the access, too */
	/* guarded by lock */
	struct folders *folders;
	struct fs_dataset **v; /* by ordinal */
	size_t n;

	pthread_mutex_t turn; /* who looks for news */
	_Atomic int64_t next; /* when to look again */
};

/** watch_now_ms(): CLOCK_MONOTONIC. */
int64_t watch_now_ms(void);

/** watch_load(d, err): Load the dataset's log; ${d} is locked, or nobody else's. */
NODISCARD int watch_load(struct fs_dataset *d, struct err *err);

#endif
