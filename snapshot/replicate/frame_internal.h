#ifndef SNAPSHOT_REPLICATE_FRAME_INTERNAL_H
#define SNAPSHOT_REPLICATE_FRAME_INTERNAL_H

/*
 * Private to this folder: what the files of frames share.
 *
 *	frame.c		the head of every frame; HELLO, STATE, names
 *	frame_object.c	what carries objects, and the answers
 */
#include "snapshot/replicate/frame.h"

/** frame_malformed(type, err): ERR_CORRUPT. */
int frame_malformed(enum frame_type type, struct err *err);

/** frame_read_text(): At most ${max} bytes, no NUL, into ${max} + 1 bytes. */
bool frame_read_text(struct rd *r, char *out, size_t max);
/** frame_write_text(): Cut at ${max} bytes. */
void frame_write_text(struct wr *w, const char *text, size_t max);

/** frame_class_code(cls), frame_class_of(code, out): The root has none. */
uint8_t frame_class_code(enum object_class cls);
bool frame_class_of(uint8_t code, enum object_class *out);
/**
 * frame_dataset_fits(): Keys are the store's: no dataset; all others have one.
 */
bool frame_dataset_fits(
    enum object_class cls, const uint8_t dataset[STORE_DATASET_LEN]);

#endif
