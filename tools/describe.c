#include "tools/describe.h"

#include "tools/json_out.h"
#include "tools/output.h"

#include <string.h>

const char *
describe_kind(enum snapshot_kind kind)
{
	return kind == SNAPSHOT_FULL ? "full" : "differential";
}

const char *
describe_type(enum entry_type type)
{
	switch (type) {
	case ENTRY_FILE:
		return "file";
	case ENTRY_DIR:
		return "directory";
	case ENTRY_SYMLINK:
		return "symlink";
	case ENTRY_FIFO:
		return "fifo";
	case ENTRY_SOCKET:
		return "socket";
	case ENTRY_CHAR:
		return "character device";
	case ENTRY_BLOCK:
		return "block device";
	}
	return "unknown";
}

json_t *
describe_moment(struct moment m)
{
	char text[OUTPUT_TIME];

	return json_string(output_time_exact(m, text));
}

json_t *
describe_u64(uint64_t v)
{
	return json_integer(v <= INT64_MAX ? (json_int_t)v : INT64_MAX);
}

uint64_t
describe_problems(const struct snapshot *s)
{
	return s->unreadable + s->changed;
}

json_t *
describe_snapshot(const struct snapshot *s, const char *dataset)
{
	char id[2 * OBJECT_NAME_LEN + 1];

	return json_pack(
	    "{s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, "
	    "s:o, s:o, s:o, s:o, s:o, s:o, s:b}",
	    "dataset", dataset, "id", output_hex(s->id, OBJECT_NAME_LEN, id),
	    "sequence", describe_u64(s->seq), "time", describe_moment(s->time),
	    "end", describe_moment(s->end), "kind", describe_kind(s->kind),
	    "host", json_out_name(s->host, strlen(s->host)), "source",
	    json_out_name(s->source, strlen(s->source)), "program",
	    json_out_name(s->program, strlen(s->program)), "files",
	    describe_u64(s->totals.files), "directories",
	    describe_u64(s->totals.dirs), "others",
	    describe_u64(s->totals.others), "bytes",
	    describe_u64(s->totals.bytes), "added_chunks",
	    describe_u64(s->added_chunks), "added_bytes",
	    describe_u64(s->added_bytes), "stored_bytes",
	    describe_u64(s->added_stored), "unreadable",
	    describe_u64(s->unreadable), "changed", describe_u64(s->changed),
	    "held", s->held != 0);
}
