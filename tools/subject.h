#ifndef TOOLS_SUBJECT_H
#define TOOLS_SUBJECT_H

/* The person or host that 'varve grant' gives a role to. */
#include "tools/session.h"

struct subject {
	struct identity *identity;
	bool created;
};
void subject_clear(struct subject *s);
#define SUBJECT_AUTO __attribute__((cleanup(subject_clear)))

/**
 * subject_host(name, keyfile, out, err):
 * The host of the key file ${keyfile}, which is made when it is missing.
 * Errors: ERR_USAGE the file is another host's; ERR_CORRUPT; ERR_DENIED; ERR_IO.
 */
NODISCARD int subject_host(const char *name, const char *keyfile,
    struct subject *out, struct err *err);

/**
 * subject_person(s, name, passphrase_file, out, err):
 * The person called ${name}, who is made when the store knows none, with a
 * passphrase of his own (from the file, or asked for; NULL: asked for). A person
 * who is there proves by his passphrase that the store's object is really his:
 * nobody signs those.
 * Errors: ERR_AUTH it is not his passphrase; those of passphrase_get().
 */
NODISCARD int subject_person(struct session *s, const char *name,
    const char *passphrase_file, struct subject *out, struct err *err);

#endif
