#include "snapshot/diff/stack.h"

#include <stdlib.h>

#define OPEN_MAX 64 /* pairs that keep their listings */

static void
listing_free(struct stack_listing *l)
{
	if (l == NULL)
		return;
	dir_cursor_free(l->cur);
	free(l);
}
DEFINE_AUTO(stack_listing, listing_free)

static void
side_close(struct stack_side *side)
{
	struct stack_listing *l = side->open;

	if (l == NULL)
		return;
	side->pos = dir_cursor_tell(l->cur) - (l->have ? 1 : 0);
	side->open = NULL;
	listing_free(l);
}

static void
frame_close(struct stack_frame *f)
{
	side_close(&f->side[0]);
	side_close(&f->side[1]);
}

int
stack_open(struct stack_side *side, struct chunks *chunks, struct err *err)
{
	AUTO(stack_listing) struct stack_listing *l = NULL;
	int rc;

	if (side->open != NULL)
		return 0;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return err_nomem(err);
	rc = dir_cursor_new(chunks, &side->ref, &l->cur, err);
	if (rc == 0)
		rc = dir_cursor_seek(l->cur, side->pos, err);
	if (rc == 0)
		side->open = STEAL(l);
	return rc;
}

static int
reserve(struct stack *s, struct err *err)
{
	size_t cap = s->cap > 0 ? 2 * s->cap : 16;
	struct stack_frame *frames;

	if (s->n < s->cap)
		return 0;
	frames = reallocarray(s->frames, cap, sizeof(*frames));
	if (frames == NULL)
		return err_nomem(err);
	s->frames = frames;
	s->cap = cap;
	return 0;
}

int
stack_push(struct stack *s, const struct dir_ref refs[2], size_t path_len,
    struct err *err)
{
	int rc = reserve(s, err);

	if (rc < 0)
		return rc;
	if (s->n >= OPEN_MAX)
		frame_close(&s->frames[s->n - OPEN_MAX]);
	s->frames[s->n++] = (struct stack_frame){
	    .side = {{.ref = refs[0]}, {.ref = refs[1]}}, .path_len = path_len};
	return 0;
}

struct stack_frame *
stack_top(struct stack *s)
{
	return s->n > 0 ? &s->frames[s->n - 1] : NULL;
}

void
stack_pop(struct stack *s)
{
	frame_close(&s->frames[--s->n]);
}

void
stack_clear(struct stack *s)
{
	while (s->n > 0)
		stack_pop(s);
	free(s->frames);
	*s = (struct stack){0};
}
