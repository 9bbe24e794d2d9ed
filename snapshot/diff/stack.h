#ifndef SNAPSHOT_DIFF_STACK_H
#define SNAPSHOT_DIFF_STACK_H

/*
 * The directories between the root and where a comparison stands, in pairs. An
 * explicit stack, since paths may be thousands deep. Only those on top keep
 * their cursors (and with them, pages); the others remember a position.
 * For the files of this folder.
 */
#include "snapshot/tree/dir.h"

/* A directory's listing, and its entry that is next to be compared. */
struct stack_listing {
	struct dir_cursor *cur;
	struct dir_entry next;
	bool have; /* ${next} is filled */
};

struct stack_side {
	struct dir_ref ref;         /* no entries: not there */
	uint64_t pos;               /* entries done; while it isn't open */
	struct stack_listing *open; /* NULL: not open */
};

struct stack_frame {
	struct stack_side side[2];
	size_t path_len; /* of the directory's own path */
};

struct stack {
	struct stack_frame *frames;
	size_t n;
	size_t cap;
};

/** stack_push(s, refs, path_len, err): Enter a pair of directories. */
NODISCARD int stack_push(struct stack *s, const struct dir_ref refs[2],
    size_t path_len, struct err *err);

/** stack_top(s): The pair entered last, or NULL. Valid until the next push. */
struct stack_frame *stack_top(struct stack *s);

/** stack_pop(s): Leave it. */
void stack_pop(struct stack *s);
void stack_clear(struct stack *s);

/** stack_open(side, chunks, err): Have its listing open where it was. */
NODISCARD int stack_open(
    struct stack_side *side, struct chunks *chunks, struct err *err);

#endif
