#include "snapshot/store/object_ref.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SEQ_LEN 8
#define HEX_MAX (2 * OBJECT_NAME_LEN + 1)

/* As FORMAT.md and KEYS.md have it. */
#define ROOT_MAX 4096
#define KEY_MAX 65536
#define LOG_MAX (16u * 1024 * 1024)
#define INDEX_MAX (UINT64_C(1) << 38)
#define PACK_MAX (64u * 1024 * 1024)

static const char *
hex(const uint8_t *buf, size_t len, char out[HEX_MAX])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[buf[i] >> 4];
		out[2 * i + 1] = digits[buf[i] & 15];
	}
	out[2 * len] = '\0';
	return out;
}

void
object_ref_dataset_dir(
    const uint8_t dataset[STORE_DATASET_LEN], char out[OBJECT_REF_TEXT])
{
	char id[HEX_MAX];

	(void)snprintf(out, OBJECT_REF_TEXT, "datasets/%s",
	    hex(dataset, STORE_DATASET_LEN, id));
}

void
object_ref_class_dir(enum object_class cls,
    const uint8_t dataset[STORE_DATASET_LEN], char out[OBJECT_REF_TEXT])
{
	static const char *const subdirs[] = {
	    [OBJECT_LOG] = "log",
	    [OBJECT_INDEX] = "index",
	    [OBJECT_PACK] = "packs",
	};
	size_t len;

	switch (cls) {
	case OBJECT_ROOT:
		(void)snprintf(out, OBJECT_REF_TEXT, ".");
		return;
	case OBJECT_KEY:
		(void)snprintf(out, OBJECT_REF_TEXT, "keys");
		return;
	case OBJECT_LOG:
	case OBJECT_INDEX:
	case OBJECT_PACK:
		break;
	}
	object_ref_dataset_dir(dataset, out);
	len = strlen(out);
	(void)snprintf(out + len, OBJECT_REF_TEXT - len, "/%s", subdirs[cls]);
}

void
object_ref_dir(const struct object_ref *ref, char out[OBJECT_REF_TEXT])
{
	size_t len;

	object_ref_class_dir(ref->cls, ref->dataset, out);
	if (ref->cls != OBJECT_PACK)
		return;
	len = strlen(out);
	(void)snprintf(out + len, OBJECT_REF_TEXT - len, "/%02x", ref->name[0]);
}

void
object_ref_text(const struct object_ref *ref, char out[OBJECT_REF_TEXT])
{
	char name[HEX_MAX];
	size_t len;

	if (ref->cls == OBJECT_ROOT) {
		(void)snprintf(out, OBJECT_REF_TEXT, "varve");
		return;
	}
	hex(ref->name, OBJECT_NAME_LEN, name);
	object_ref_dir(ref, out);
	len = strlen(out);
	if (ref->cls == OBJECT_LOG)
		(void)snprintf(out + len, OBJECT_REF_TEXT - len,
		    "/%016" PRIx64 "-%s", ref->seq, name);
	else
		(void)snprintf(out + len, OBJECT_REF_TEXT - len, "/%s", name);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static bool
hex_prefix(const char *text, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int hi = hex_digit(text[2 * i]);
		int lo = hi < 0 ? -1 : hex_digit(text[2 * i + 1]);

		if (lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

bool
object_ref_hex(const char *text, uint8_t *out, size_t len)
{
	return hex_prefix(text, out, len) && text[2 * len] == '\0';
}

bool
object_ref_parse(struct object_ref *ref, const char *file)
{
	uint8_t seq[SEQ_LEN];

	ref->seq = 0;
	if (ref->cls == OBJECT_ROOT)
		return strcmp(file, "varve") == 0;
	if (ref->cls != OBJECT_LOG)
		return object_ref_hex(file, ref->name, OBJECT_NAME_LEN);

	if (!hex_prefix(file, seq, SEQ_LEN) || file[2 * SEQ_LEN] != '-')
		return false;
	for (size_t i = 0; i < SEQ_LEN; i++)
		ref->seq = ref->seq << 8 | seq[i];
	return ref->seq > 0 && object_ref_hex(file + 2 * SEQ_LEN + 1, ref->name,
				   OBJECT_NAME_LEN);
}

uint64_t
object_size_max(enum object_class cls)
{
	switch (cls) {
	case OBJECT_ROOT:
		return ROOT_MAX;
	case OBJECT_KEY:
		return KEY_MAX;
	case OBJECT_LOG:
		return LOG_MAX;
	case OBJECT_INDEX:
		return INDEX_MAX;
	case OBJECT_PACK:
		return PACK_MAX;
	}
	return 0;
}
