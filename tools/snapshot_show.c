/* All about one snapshot, with what could not be read. */
#include "tools/snapshot_show.h"
#include "snapshot/content/content.h"
#include "snapshot/log/when.h"
#include "tools/describe.h"
#include "tools/escape.h"
#include "tools/output.h"

#include <inttypes.h>
#include <string.h>

#define PROBLEMS_READ 65536

static void
show_snapshot(const struct log *l, const struct snapshot *s)
{
	const struct record *hold = log_record_at(l, s->held);
	char a[WHEN_NAME_TEXT], b[OUTPUT_TIME], id[2 * OBJECT_NAME_LEN + 1];
	char n[4][OUTPUT_TEXT];

	(void)printf("id        %s\n", output_hex(s->id, OBJECT_NAME_LEN, id));
	(void)printf(
	    "time      %s to %s\n", when_name(l, s, a), output_time(s->end, b));
	(void)printf("kind      %s, number %" PRIu64 "\n",
	    describe_kind(s->kind), s->seq);
	(void)fputs("host      ", stdout);
	escape_print(stdout, s->host, strlen(s->host));
	(void)fputs("\nsource    ", stdout);
	escape_print(stdout, s->source, strlen(s->source));
	(void)fputs("\nprogram   ", stdout);
	escape_print(stdout, s->program, strlen(s->program));
	(void)printf("\nholds     %s files, %s directories, %s others, %s\n",
	    output_count(s->totals.files, n[0]),
	    output_count(s->totals.dirs, n[1]),
	    output_count(s->totals.others, n[2]),
	    output_size(s->totals.bytes, n[3]));
	(void)printf("added     %s in %s chunks, stored as %s\n",
	    output_size(s->added_bytes, n[0]),
	    output_count(s->added_chunks, n[1]),
	    output_size(s->added_stored, n[2]));
	(void)printf("problems  %s unreadable, %s changed while being read\n",
	    output_count(s->unreadable, n[0]), output_count(s->changed, n[1]));
	if (hold == NULL)
		return;
	(void)fputs("held      ", stdout);
	escape_print(stdout, hold->hold.why, strlen(hold->hold.why));
	(void)fputc('\n', stdout);
}

/* The problems are lines of a text, most of what is odd escaped already. */
static int
show_lines(struct run *run, char *text, size_t len, struct err *err)
{
	while (len > 0) {
		char *end = memchr(text, '\n', len);
		size_t n = strnlen(text, len);

		if (end == NULL || text + n < end)
			return err_set(err, ERR_CORRUPT,
			    "the snapshot's list of problems is malformed");
		*end = '\0';
		n = (size_t)(end - text);
		if (run->json != NULL) {
			json_out_item(run->json, json_out_name(text, n));
		} else {
			(void)fputs("  ", stdout);
			escape_message(stdout, text);
			(void)fputc('\n', stdout);
		}
		text += n + 1;
		len -= n + 1;
	}
	return 0;
}

static int
show_problems(struct run *run, const struct opened *o, struct err *err)
{
	const struct snapshot *s = o->snapshot;
	AUTO(content_cursor) struct content_cursor *cur = NULL;
	WR_AUTO struct wr text = {0};
	int r = content_cursor_new(
	    o->chunks, &s->problems, s->problems_size, &cur, err);

	while (r == 0 && text.len < s->problems_size) {
		uint64_t left = s->problems_size - text.len;
		size_t want =
		    left < PROBLEMS_READ ? (size_t)left : (size_t)PROBLEMS_READ;
		uint64_t at = text.len;
		uint8_t *p = wr_space(&text, want);
		size_t got = 0;

		if (p == NULL)
			return err_nomem(err);
		r = content_read(cur, at, p, want, &got, err);
		if (r == 0 && got != want)
			r = err_set(err, ERR_CORRUPT,
			    "the snapshot's list of problems ends early");
	}
	return r != 0 ? r : show_lines(run, (char *)text.buf, text.len, err);
}

int
snapshot_show(
    struct run *run, struct session *s, const char *text, struct err *err)
{
	SNAPSHOT_ARG_AUTO struct snapshot_arg arg = {0};
	AUTO(opened) struct opened *o = NULL;
	int r = snapshot_arg_parse(text, &arg, err);

	if (r == 0 && arg.path != NULL)
		return err_set(err, ERR_USAGE,
		    "'%s' names a file: list shows snapshots", text);
	if (r == 0)
		r = session_snapshot(s, &arg, &o, err);
	if (r != 0)
		return r;
	if (run->json != NULL) {
		json_out_member(run->json, "snapshot",
		    describe_snapshot(o->snapshot, arg.dataset));
		json_out_list(run->json, "problems");
	} else {
		show_snapshot(o->log, o->snapshot);
	}
	return o->snapshot->problems_size > 0 ? show_problems(run, o, err) : 0;
}
